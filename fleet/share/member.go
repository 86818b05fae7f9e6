package share

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// member is an agent in a run.
type member struct {
	*Agent
	run    string
	ctx    context.Context
	cancel context.CancelCauseFunc
	out    *outbox
	in     *inbox
	busy   sync.WaitGroup

	text   pieces
	job    *fleet.Job // nil: it is not here yet
	begin  time.Time  // by the desk's clock; zero: nobody knows yet
	shares map[int]*played
	heard  time.Time // when the desk was heard last

	stopped    bool          // the desk ended the course early
	dropped    bool          // the desk took this agent for lost
	before     time.Duration // processor time when the run began for this agent
	base, held int           // memory then, and the most since; held is of the agent's mutex
}

// played is a share on this agent.
type played struct {
	take
	cancel  context.CancelFunc
	started chan time.Time // told when the run begins
	stop    chan struct{}  // closed when its course is over early
}

func newMember(a *Agent, run string) *member {
	m := &member{
		Agent: a, run: run, shares: map[int]*played{}, heard: time.Now(),
		out: newOutbox(a.js, ofRun+run+fromEnd+a.id),
		in:  &inbox{js: a.js, stream: stream(run), subject: ofRun + run + deskEnd},
	}
	m.before, m.base = fleet.Processor(), fleet.Memory()
	m.ctx, m.cancel = context.WithCancelCause(a.inner)
	return m
}

var errOver = errors.New("the run is over")

// play takes part until the run is over for this agent.
func (m *member) play() {
	m.note("takes part in run %s", m.run)
	var helpers sync.WaitGroup
	orders := make(chan order)
	helpers.Go(func() {
		if err := m.out.run(m.ctx); err != nil {
			m.cancel(err)
		}
	})
	helpers.Go(func() { m.in.run(m.ctx, func(_ string, text []byte) { m.hear(text, orders) }) })
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for m.ctx.Err() == nil {
		select {
		case o := <-orders:
			m.heard = time.Now()
			m.obey(o)
		case <-tick.C:
			m.out.put(&word{Share: -1})
			m.alone()
		case <-m.ctx.Done():
		}
	}
	m.busy.Wait()
	helpers.Wait()
	m.note("run %s has ended: %v", m.run, context.Cause(m.ctx))
}

// alone ends the run for this agent when the desk or the stream is gone. While the server cannot be reached, nobody knows.
func (m *member) alone() {
	if !m.conn.IsConnected() {
		m.heard = time.Now()
	}
	missing := m.in.missing.Load()
	switch {
	case time.Since(m.heard) > lostDesk:
		m.cancel(errors.New("nothing is heard of who began it"))
	case missing > 0 && time.Since(time.Unix(0, missing)) > lostAgent:
		m.cancel(errOver)
	}
}

// hear decodes an order.
func (m *member) hear(text []byte, orders chan<- order) {
	var o order
	if err := read(text, &o); err != nil {
		m.cancel(fmt.Errorf("read an order: %w", err))
		return
	}
	select {
	case orders <- o:
	case <-m.ctx.Done():
	}
}

// obey does what the desk says.
func (m *member) obey(o order) {
	switch {
	case o.End:
		m.cancel(errOver)
	case o.Part != nil:
		m.learn(o.Part)
	case o.Take != nil && o.Take.Agent == m.id:
		m.take(*o.Take)
	case o.Go != 0 && m.begin.IsZero():
		m.begin = time.Unix(0, o.Go)
		for _, s := range m.shares {
			s.started <- m.begin
		}
	case o.Stop && !m.stopped:
		m.stopped = true
		for _, s := range m.shares {
			close(s.stop)
		}
	case o.Drop == m.id:
		m.dropped = true
		for _, s := range m.shares {
			s.cancel()
		}
		m.cancel(errors.New("its devices were given to others, as it was not heard of"))
	}
}

// learn takes a piece of the job.
func (m *member) learn(p *part) {
	whole, err := m.text.add(p)
	if err == nil && !whole {
		return
	}
	var job fleet.Job
	if err == nil {
		job, err = decode(m.text.data)
	}
	m.text = pieces{}
	if err != nil {
		m.out.put(&word{Share: -1, Failed: err.Error()})
		return
	}
	if len(m.Sources) > 0 {
		job.Sources = m.Sources
	}
	if m.Local {
		job.Open = nil
	}
	job.Watch = false
	m.job = &job
}

// take prepares a share, and plays it when the run begins.
func (m *member) take(t take) {
	job := m.job
	if job == nil || m.shares[t.Share] != nil || m.dropped {
		return
	}
	if t.From < 0 || t.From >= t.To || t.To > job.Fleet.Devices || t.Begin < 0 || t.Begin > job.For {
		m.out.put(&word{Share: t.Share, Failed: fmt.Sprintf("devices %d to %d of %d from %v on", t.From, t.To-1, job.Fleet.Devices, t.Begin)})
		return
	}
	s := &played{take: t, started: make(chan time.Time, 1), stop: make(chan struct{})}
	if m.stopped {
		close(s.stop)
	}
	ctx, cancel := context.WithCancel(m.ctx)
	s.cancel = cancel
	m.shares[t.Share] = s
	if !m.begin.IsZero() {
		s.started <- m.begin
	}
	own := *job
	own.Stop = s.stop
	own.From, own.To, own.Seq, own.Begin, own.Skew = t.From, t.To, t.Seq, t.Begin, m.clock.ahead-t.Ahead
	m.busy.Go(func() {
		defer cancel()
		m.note("plays devices %d to %d", t.From, t.To-1)
		if err := m.share(ctx, own, s); err != nil && ctx.Err() == nil {
			m.out.put(&word{Share: t.Share, Failed: err.Error()})
		}
	})
}

// share plays a share from its preparation to its account.
func (m *member) share(ctx context.Context, job fleet.Job, s *played) error {
	r, err := fleet.Prepare(ctx, job)
	if err != nil {
		return err
	}
	m.out.put(&word{Share: s.Share, Ready: true})
	var start time.Time
	select {
	case start = <-s.started:
	case <-ctx.Done():
		r.Close()
		return ctx.Err()
	}
	start = m.clock.at(start.Add(s.Ahead))
	m.out.put(&word{Share: s.Share, Began: true, Late: max(0, time.Since(start)-job.Begin)})
	end, err := r.Play(ctx, start, func(loop, second int, of *series.Slice) {
		m.out.put(&word{Share: s.Share, Slice: &slice{loop, second, of}})
		if loop == 0 && second%5 == 4 {
			m.weigh()
		}
	})
	if err != nil || ctx.Err() != nil {
		return err
	}
	account, err := end.Ledger.MarshalBinary()
	if err != nil {
		return fmt.Errorf("write the account of messages: %w", err)
	}
	for _, p := range parts(account) {
		m.out.put(&word{Share: s.Share, Ledger: p})
	}
	given, _ := end.Given.MarshalBinary()
	for _, p := range parts(given) {
		m.out.put(&word{Share: s.Share, Given: p})
	}
	m.out.put(&word{Share: s.Share, Done: m.weighed(end.Outage)})
	return nil
}

// weigh keeps the most memory that was held.
func (m *member) weigh() {
	held := fleet.Memory()
	m.mu.Lock()
	m.held = max(m.held, held)
	m.mu.Unlock()
}

// weighed is what a share ends with.
func (m *member) weighed(outage *series.Outage) *done {
	m.weigh()
	processor := fleet.Processor()
	m.mu.Lock()
	defer m.mu.Unlock()
	return &done{Outage: outage, CPU: processor - m.before, Base: m.base, Held: m.held}
}
