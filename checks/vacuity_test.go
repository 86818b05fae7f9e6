package checks_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference"
)

// An unknown is never a pass: no check may pass on a part that does nothing at all, nor on one that opens connections and says
// nothing, nor on a server that accepts them and says nothing, nor on a file that is empty or cannot be read.
func TestNoCheckPassesOnNothing(t *testing.T) {
	t.Parallel()
	encrypted := make([]byte, 1<<16)
	rand.NewChaCha8([32]byte{1}).Read(encrypted)
	for name, part := range map[string]struct {
		open func(driver.Env) (driver.Driver, error)
		file []byte // of artefacts
	}{
		"a part that does nothing, an empty file": {open: func(driver.Env) (driver.Driver, error) { return inert{}, nil }},
		"a part that connects and says nothing, an encrypted file": {
			func(env driver.Env) (driver.Driver, error) { return &mute{env: env}, nil }, encrypted,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range vacuous(t, part.open, part.file) {
				if r.Outcome == evidence.Pass {
					t.Errorf("%s on %s passes on %s", r.Check, r.Variant, name)
				}
			}
		})
	}
}

// vacuous runs every check on the reference product with its parts replaced, a hundred times as fast.
func vacuous(t *testing.T, open func(driver.Env) (driver.Driver, error), file []byte) []evidence.Result {
	t.Helper()
	p, err := product.Load("reference", reference.File(), known())
	if err != nil {
		t.Fatal(err)
	}
	p.Declared.Speed = 100
	p.Variants = p.Variants[:1]
	kind := reference.Kind()
	kind.Open = open
	kind.Artefact = func(driver.Env) (driver.Artefact, error) {
		return driver.Artefact{File: "vacant", Data: io.NewSectionReader(bytes.NewReader(file), 0, int64(len(file)))}, nil
	}
	o := campaign.Options{
		Product: p, Risks: checks.All(), Incidents: checks.Incident, Kinds: driver.Kinds{kind.Name: kind}, Seed: 1, Parallel: 64,
	}
	plan, err := campaign.Plan(o, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	run, err := evidence.CreateRun(t.TempDir(), plan)
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	results, err := campaign.Run(t.Context(), o, run, silent{})
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func known() product.Known {
	k := product.Known{Drivers: []string{"reference"}, Profiles: profile.Names()}
	for _, r := range checks.All() {
		k.Risks = append(k.Risks, r.ID)
		for _, c := range r.Checks {
			k.Checks = append(k.Checks, c.ID)
		}
	}
	return k
}

// inert is a part that does nothing.
type inert struct{}

func (inert) Start(context.Context) error { return nil }
func (inert) Stop(context.Context) error  { return nil }
func (inert) Kill(context.Context) error  { return nil }
func (inert) Close() error                { return nil }

// mute is a device that opens a connection and says nothing, or a server that accepts and says nothing.
type mute struct {
	env driver.Env

	mu     sync.Mutex
	closes []func() error
}

func (m *mute) Start(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.closes) > 0 {
		return nil
	}
	if port := m.env.Values["listen.port"]; port != "" {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			return err
		}
		m.closes = append(m.closes, l.Close)
		return nil
	}
	c, err := net.Dial("tcp", net.JoinHostPort(m.env.Values["broker.host"], m.env.Values["broker.port"]))
	if err != nil {
		return nil // a closed port is none of its business
	}
	m.closes = append(m.closes, c.Close)
	return nil
}

func (m *mute) Stop(context.Context) error { return m.Close() }
func (m *mute) Kill(context.Context) error { return m.Close() }

func (m *mute) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.closes {
		c()
	}
	m.closes = nil
	return nil
}

// silent watches a campaign without a word.
type silent struct{}

func (silent) Started(evidence.Job)                        {}
func (silent) Step(evidence.Job, string)                   {}
func (silent) Ended(evidence.Result)                       {}
func (silent) Tell(string)                                 {}
func (silent) Ask(context.Context, string) (string, error) { return "", context.Canceled }
