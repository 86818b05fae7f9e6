package share

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
	times "github.com/shakedown-test/shakedown/world/clock"
)

// stage is a broker, a server of NATS and agents, in this process.
type stage struct {
	t      *testing.T
	target fleet.Target
	server *Server
	mu     sync.Mutex
	notes  []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, target: fleet.Target{Scheme: product.MQTT, Host: openBroker(t)}}
	var err error
	if s.server, err = Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.server.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openBroker(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clk := times.New(1)
	b := broker.New(broker.Options{Part: "broker", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { b.Serve(nc) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

func (s *stage) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, text)
}

func (s *stage) dial(name string) *nats.Conn {
	s.t.Helper()
	nc, err := Dial(s.t.Context(), s.server.Access(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		gone := make(chan struct{})
		nc.SetClosedHandler(func(*nats.Conn) { close(gone) })
		nc.Close()
		<-gone
	})
	return nc
}

// agent starts one. kill cuts it off from the server and ends it without a word.
func (s *stage) agent(name string, change func(*Agent)) (kill func()) {
	s.t.Helper()
	a := &Agent{Name: name, Note: func(text string) { s.note(name + " " + text) }}
	if change != nil {
		change(a)
	}
	nc := s.dial(name)
	ctx, cancel := context.WithCancel(s.t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := a.Serve(ctx, nc); err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(func() { cancel(); serving.Wait() })
	return func() { cancel(); serving.Wait() }
}

func (s *stage) agents(n int) (kill []func()) {
	for k := range n {
		kill = append(kill, s.agent(fmt.Sprint("agent-", k), nil))
	}
	return kill
}

// job is a fleet that sends a numbered message every so often.
func (s *stage) job(devices int, every, length time.Duration) fleet.Job {
	f := &product.Fleet{Devices: devices, Tenants: devices, Connects: float64(devices) * 4, Classes: []product.Class{{
		Name: "meter", Share: 1, KeepAlive: product.Duration(time.Minute), Window: 1000,
		Telemetry: []product.Telemetry{{Post: product.Post{Topic: "meter/{id}/telemetry", Payload: `{"id":"{id}","stamp":"{stamp}"}`, QoS: 1}, Every: product.Duration(every)}},
	}}}
	return fleet.Job{Target: s.target, Fleet: f, To: devices, Shape: "steady", For: length, Drain: 3 * time.Second, Settle: 500 * time.Millisecond, Watch: true, Seed: 7}
}

func (s *stage) play(agents int, job fleet.Job, watch func(*series.Collector)) *series.Record {
	s.t.Helper()
	d := &Desk{Conn: s.dial("desk"), Agents: agents, Wait: 5 * time.Second, Note: s.note}
	r, err := d.Play(s.t.Context(), job, watch)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// told is what a record notes, but for what a machine under the race detector cannot keep: CI runs that with -short.
func told(r *series.Record) []string {
	return slices.DeleteFunc(slices.Clone(r.Notes), func(note string) bool { return testing.Short() && strings.Contains(note, "after the others") })
}

// TestSameAsOne has four agents play a fleet, and one process.
func TestSameAsOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.agents(4)
	job := s.job(100, 100*time.Millisecond, 2*time.Second)
	r := s.play(4, job, nil)
	n := r.Totals.Counts
	if n[series.Accepted] != 100 || r.Messages.Sent != n[series.Sent] || r.Messages.Arrived != n[series.Sent] || n[series.Acked] != n[series.Sent] ||
		r.Messages.Strange+r.Messages.Leaked+r.Messages.Duplicates+r.Messages.Unsent+r.Messages.Late != 0 {
		t.Errorf("accepted %d, sent %d, acknowledged %d, account %+v, errors %v, notes %v", n[series.Accepted], n[series.Sent], n[series.Acked], *r.Messages, r.Totals.Errors, r.Notes)
	}
	one, err := fleet.Do(t.Context(), job, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []series.Counter{series.Accepted, series.Sent, series.Acked, series.Received} {
		ours, theirs := float64(n[c]), float64(one.Totals.Counts[c])
		apart := 0.1
		if testing.Short() {
			apart = 0.3
		}
		if math.Abs(ours-theirs) > apart*theirs {
			t.Errorf("%s: %v of four agents, %v of one process", c, ours, theirs)
		}
	}
	if len(told(r)) > 0 || r.Own.OneWay != "" || r.Own.CPU <= 0 {
		t.Errorf("notes %v, own %+v", r.Notes, r.Own)
	}
}

// TestLostAgent kills one of three without a word.
func TestLostAgent(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	kill := s.agents(3)
	job := s.job(90, 100*time.Millisecond, 7*time.Second)
	r := s.play(3, job, func(*series.Collector) {
		go func() {
			<-time.After(lead + 1500*time.Millisecond)
			kill[1]()
		}()
	})
	if notes := told(r); len(notes) != 1 || !strings.Contains(notes[0], "agent agent-1 was lost in second") || !strings.Contains(notes[0], "as many were connected again") {
		t.Errorf("notes %q", r.Notes)
	}
	last := r.Points[len(r.Points)-2]
	if i := slices.IndexFunc(r.Points, func(p series.Point) bool { return p.Second == 6 }); i < 0 || r.Points[i].Connected != 90 {
		t.Errorf("connected at the end: %+v", last)
	}
	if m := r.Messages; m.Lost+m.Duplicates+m.Strange+m.Leaked+m.Late != 0 || m.Unsent == 0 {
		t.Errorf("account %+v", *m)
	}
	if n := r.Totals.Counts; n[series.Accepted] != 120 && !(testing.Short() && n[series.Accepted] >= 90) { // what it had not reported is lost with it
		t.Errorf("accepted %d", n[series.Accepted])
	}
}

// TestRestart stops the server of NATS in the middle of a run, for longer than an agent may be silent.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.agents(2)
	job := s.job(60, 100*time.Millisecond, 7*time.Second)
	restarted := make(chan error, 1)
	r := s.play(2, job, func(*series.Collector) {
		go func() {
			<-time.After(lead + time.Second)
			port := s.server.srv.Addr().(*net.TCPAddr).Port
			s.server.stop()
			<-time.After(4 * time.Second)
			restarted <- s.server.start(port)
		}()
	})
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	n := r.Totals.Counts
	if n[series.Accepted] != 60 || r.Messages.Sent != n[series.Sent] || r.Messages.Arrived != n[series.Sent] || r.Messages.Unsent != 0 || len(told(r)) > 0 {
		t.Errorf("accepted %d, sent %d, account %+v, notes %v", n[series.Accepted], n[series.Sent], *r.Messages, r.Notes)
	}
	for _, p := range r.Points[1:7] {
		if p.Connected != 60 {
			t.Errorf("second %d: %d connected of %d shares", p.Second, p.Connected, p.Shares)
		}
	}
}

// TestClocks has an agent on a machine whose clock is seconds ahead.
func TestClocks(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for k, ahead := range []time.Duration{3 * time.Second, -2 * time.Second} {
		s.agent(fmt.Sprint("agent-", k), func(a *Agent) { a.machine, a.clock.ahead = fmt.Sprint("elsewhere-", k), ahead })
	}
	r := s.play(2, s.job(20, 100*time.Millisecond, 1500*time.Millisecond), nil)
	delivery, _ := r.Latency(series.Delivery)
	if delivery.Count < 100 || delivery.P50 > 1 || r.Totals.Counts[series.Skewed] > delivery.Count/5 || r.Own.OneWay != "" || len(told(r)) > 0 {
		t.Errorf("delivery %+v, skewed %d, one way %q, notes %v", delivery, r.Totals.Counts[series.Skewed], r.Own.OneWay, r.Notes)
	}
}

// TestStop ends a run before its time, on all agents.
func TestStop(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.agents(2)
	stop := make(chan struct{})
	job := s.job(40, 100*time.Millisecond, time.Hour)
	job.Fleet.Connects, job.Stop = 40, stop
	r := s.play(2, job, func(*series.Collector) {
		time.AfterFunc(lead+2500*time.Millisecond, func() { close(stop) })
	})
	n := r.Totals.Counts
	if !r.Stopped || r.Seconds != 2 || n[series.Sent] < 50 || r.Messages.Sent != n[series.Sent] || r.Messages.Arrived != n[series.Sent] || r.Messages.Unsent != 0 || len(r.Notes) > 0 {
		t.Errorf("stopped %v after %d s, sent %d, account %+v, notes %v", r.Stopped, r.Seconds, n[series.Sent], *r.Messages, r.Notes)
	}
}

// TestDoubledAcrossAgents has a cloud give all devices one user name: all but the first have the identity of another, whoever plays them.
func TestDoubledAcrossAgents(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.agents(2)
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"user":"u"}`) }))
	t.Cleanup(cloud.Close)
	job := s.job(20, 100*time.Millisecond, 2*time.Second)
	c := &job.Fleet.Classes[0]
	c.Provision = []product.Call{{URL: cloud.URL + "/claim", Take: map[string]string{"user": "user"}}}
	c.Identity.User = "{user}"
	if r := s.play(2, job, nil); r.Totals.Counts[series.Doubled] != 19 || r.Totals.Counts[series.Accepted] != 20 || len(r.Notes) > 0 {
		t.Errorf("%d doubled of %d, notes %v", r.Totals.Counts[series.Doubled], r.Totals.Counts[series.Accepted], r.Notes)
	}
}
