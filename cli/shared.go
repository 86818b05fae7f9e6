package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/spf13/pflag"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/fleet/share"
)

// natsFlags say how a NATS server is reached.
type natsFlags struct{ url, creds, ca string }

func (f *natsFlags) add(fl *pflag.FlagSet, usage string) {
	fl.StringVar(&f.url, "nats", "", usage)
	fl.StringVar(&f.creds, "nats-creds", "", "`file` of credentials for NATS (default: NATS_USER and NATS_PASSWORD in the environment, or none)")
	fl.StringVar(&f.ca, "nats-ca", "", "PEM `file` that the certificate of NATS is verified with (default: this machine's roots)")
}

func (f *natsFlags) words() (words []string) {
	for _, w := range []struct{ flag, value string }{{"--nats", f.url}, {"--nats-creds", f.creds}, {"--nats-ca", f.ca}} {
		if w.value != "" {
			words = append(words, w.flag, w.value)
		}
	}
	return words
}

func (f *natsFlags) access(a *app) share.Access {
	return share.Access{URL: f.url, Creds: f.creds, CA: f.ca, User: a.Getenv("NATS_USER"), Password: a.Getenv("NATS_PASSWORD")}
}

// shared plays fleets in this process where they are small, and otherwise with worker processes or with agents on other machines.
type shared struct {
	app     *app
	workers int // 0: as many as the fleet needs
	agents  int
	conn    *nats.Conn // to agents on other machines; nil: there are none
	crew    *crew      // nil: none was needed yet
}

func (a *app) newShared(f swarmFlags) (*shared, error) {
	s := &shared{app: a, workers: f.workers, agents: f.agents}
	switch {
	case f.nats.url != "" && f.workers > 0:
		return nil, usage(errors.New("--workers and --nats exclude each other\nhint: with --nats, start as many agents on each machine as it has use for"))
	case f.nats.url == "" && f.agents > 0:
		return nil, usage(errors.New("--agents needs --nats\nhint: --workers is the number of processes on this machine"))
	case f.workers < 0 || f.workers > maxWorkers || f.agents < 0:
		return nil, usage(fmt.Errorf("%d workers\nhint: at most %d", max(f.workers, f.agents), maxWorkers))
	case f.nats.url == "":
		return s, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var err error
	if s.conn, err = share.Dial(ctx, f.nats.access(a), "swarm"); err != nil {
		return nil, usage(err)
	}
	return s, nil
}

func (s *shared) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	if s.crew != nil {
		s.crew.close()
	}
}

// How long agents may take to come: those that are waited for, and those that are there anyway.
const (
	comeAgents = time.Minute
	hereAgents = 2 * time.Second
)

// play plays a fleet; see fleet.Do.
func (s *shared) play(ctx context.Context, job fleet.Job, watch func(*series.Collector)) (*series.Record, error) {
	if s.conn != nil {
		d := share.Desk{Conn: s.conn, Agents: s.agents, Wait: hereAgents, Note: s.app.tell}
		if s.agents > 0 {
			d.Wait = comeAgents
		}
		return d.Play(ctx, job, watch)
	}
	n := s.workers
	if each := devicesOfWorker(); n == 0 {
		n = min(maxWorkers, (job.Fleet.Devices+each-1)/each)
	}
	if n < 2 {
		return fleet.Do(ctx, job, watch)
	}
	if s.crew == nil {
		var err error
		if s.crew, err = s.app.newCrew(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.crew.grow(n); err != nil {
		return nil, err
	}
	d := share.Desk{Conn: s.crew.conn, Agents: n, Wait: 30 * time.Second, Note: s.app.tell}
	return d.Play(ctx, job, watch)
}

// tell writes a line that stays, above the live area where there is one.
func (a *app) tell(text string) {
	a.mu.Lock()
	s := a.screen
	a.mu.Unlock()
	if s == nil {
		a.note("%s", text)
		return
	}
	s.above(row{plain("note: " + text), ""})
}
