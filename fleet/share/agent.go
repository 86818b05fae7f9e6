package share

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Agent plays shares of fleets for whoever asks for it, one run at a time.
type Agent struct {
	Name    string       // for people; default: that of the host and the number of the process
	Sources []netip.Addr // of this machine, to connect from in turn; none: see product.Fleet
	Note    func(string) // is told in a line what it does; may be nil

	id      string
	machine string
	clock   clock
	conn    *nats.Conn
	js      jetstream.JetStream
	inner   context.Context
	runs    sync.WaitGroup

	mu   sync.Mutex
	busy bool
}

// Serve answers on a connection until ctx ends, and has ended all that it played when it returns.
func (a *Agent) Serve(ctx context.Context, nc *nats.Conn) error {
	a.id, a.clock = rand.Text(), newClockAhead(a.clock)
	if a.machine == "" {
		a.machine = machine()
	}
	if a.Name == "" {
		host, _ := os.Hostname()
		a.Name = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	inner, cancel := context.WithCancel(ctx)
	defer a.runs.Wait()
	defer cancel()
	a.inner, a.conn = inner, nc
	var err error
	if a.js, err = jetstream.New(nc); err != nil {
		return fmt.Errorf("serve as an agent: %w", err)
	}
	for subject, handle := range map[string]nats.MsgHandler{lobby: a.greet, private + a.id: a.answer} {
		s, err := nc.Subscribe(subject, handle)
		if err != nil {
			return fmt.Errorf("serve as an agent: %w", err)
		}
		defer func() { _ = s.Unsubscribe() }()
	}
	<-ctx.Done()
	return nil
}

// newClockAhead starts a clock that is as far ahead as another.
func newClockAhead(of clock) clock {
	c := newClock()
	c.ahead = of.ahead
	return c
}

func (a *Agent) note(format string, args ...any) {
	if a.Note != nil {
		a.Note(fmt.Sprintf(format, args...))
	}
}

// greet answers who asks for agents.
func (a *Agent) greet(m *nats.Msg) {
	a.mu.Lock()
	free := !a.busy
	a.mu.Unlock()
	respond(m, hello{Agent: a.id, Name: a.Name, Machine: a.machine, Cores: runtime.NumCPU(), Version: version, Free: free})
}

// answer does what the desk asks this agent for.
func (a *Agent) answer(m *nats.Msg) {
	at := a.clock.now()
	var c call
	if read(m.Data, &c) != nil {
		return
	}
	switch {
	case c.Clock:
		respond(m, reply{Clock: at})
	case c.Join != "":
		respond(m, reply{Joined: named(c.Join) && a.join(c.Join)})
	}
}

func respond(m *nats.Msg, with any) {
	if text, err := json.Marshal(with); err == nil {
		_ = m.Respond(text)
	}
}

// named reports whether a text can be the name of a run, which is a part of subjects.
func named(run string) bool {
	for _, c := range run {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(run) > 0 && len(run) <= 64
}

// join takes part in a run, unless the agent is in one.
func (a *Agent) join(run string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy || a.inner.Err() != nil {
		return false
	}
	a.busy = true
	a.runs.Go(func() {
		newMember(a, run).play()
		a.mu.Lock()
		a.busy = false
		a.mu.Unlock()
	})
	return true
}
