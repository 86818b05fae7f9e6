package share

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// run is one run as the desk sees it. All but the helpers is of one goroutine.
type run struct {
	*Desk
	name     string
	js       jetstream.JetStream
	job      fleet.Job
	mine     clock
	ctx      context.Context // ends when the caller wants it, or a helper cannot go on
	cancel   context.CancelCauseFunc
	workers  []*worker
	portions []*portion
	losses   []*loss
	notes    []string

	life    context.Context // of the helpers, which outlive ctx to say goodbye
	die     context.CancelFunc
	helpers sync.WaitGroup
	out     *outbox
	in      *inbox
	words   chan said
	clocks  chan compared

	start    time.Time // by the desk's clock
	began    time.Time // the same as a moment of this process
	series   *series.Collector
	prepared chan prepared // the subscriber
	watching *fleet.Run    // the same, while it waits for the beginning
	watched  chan error    // how it ended
	hangUp   func()        // ends it
	own      *count.Ledger // what it saw; nil: there is none
	latest   time.Duration // how late an agent began
	lasted   time.Duration // the course, where it was stopped; 0: it was not

	processor time.Duration // that this process had taken when the run began
	base      int           // bytes of memory that it held then

	calm       time.Time // since when nothing has been wrong with the connection
	reconnects uint64
}

// portion is a share that was given to an agent.
type portion struct {
	number, from, to int
	seq              uint32
	begin            time.Duration
	by               *worker
	own              *series.Collector // what this share measured alone
	up               map[int]int       // devices that are connected, by loop

	ready, done, lost bool
	account, given    pieces
	whole             bool // the account is here
	outage            *series.Outage
}

// connected is how many devices of a share are.
func (p *portion) connected() (n int) {
	for _, up := range p.up {
		n += up
	}
	return n
}

// said is a word of an agent, which is known by its subject.
type said struct {
	agent string
	word  *word
	err   error
}

// compared is a comparison of clocks.
type compared struct {
	worker *worker
	now    offset
}

type prepared struct {
	run *fleet.Run
	err error
}

// newRun makes a run that nobody takes part in yet.
func (d *Desk) newRun(ctx context.Context, js jetstream.JetStream, name string, job fleet.Job) *run {
	r := &run{
		Desk: d, name: name, js: js, job: job, mine: newClock(), words: make(chan said), clocks: make(chan compared), calm: time.Now(),
		prepared: make(chan prepared, 1),
		out:      newOutbox(js, ofRun+name+deskEnd), in: &inbox{js: js, stream: stream(name), subject: ofRun + name + fromEnd + "*"},
	}
	r.processor, r.base = fleet.Processor(), fleet.Memory()
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.life, r.die = context.WithCancel(context.WithoutCancel(ctx))
	return r
}

// listen starts what carries messages.
func (r *run) listen() {
	r.helpers.Go(func() {
		if err := r.out.run(r.life); err != nil {
			r.cancel(err)
		}
	})
	r.helpers.Go(func() {
		r.in.run(r.life, func(subject string, text []byte) {
			s := said{agent: subject[strings.LastIndexByte(subject, '.')+1:], word: &word{}}
			s.err = read(text, s.word)
			select {
			case r.words <- s:
			case <-r.life.Done():
			}
		})
	})
	r.helpers.Go(func() { // so that agents know that it is here
		for pause(r.life, beat) {
			r.out.put(order{})
		}
	})
}

// close says goodbye, ends everything and removes the stream.
func (r *run) close() {
	r.out.put(order{End: true})
	timeout, cancel := context.WithTimeout(r.life, 3*time.Second)
	defer cancel()
	select {
	case <-r.out.stored():
		pause(timeout, 300*time.Millisecond) // they read it before the stream is gone
	case <-timeout.Done():
	}
	r.cancel(nil)
	_ = r.js.DeleteStream(timeout, stream(r.name))
	r.die()
	r.helpers.Wait()
	select {
	case p := <-r.prepared:
		r.watching = p.run
	default:
	}
	if r.watching != nil {
		r.watching.Close()
	}
}

// patience is how long agents may take to prepare their shares.
const patience = 60 * time.Second

// ready waits until all who play are ready, with the subscriber.
func (r *run) ready() error {
	waits := r.job.Watch
	if waits {
		job := r.job
		job.From, job.To, job.Settle = 0, 0, 0
		r.helpers.Go(func() {
			own, err := fleet.Prepare(r.ctx, job)
			r.prepared <- prepared{own, err}
		})
	}
	over := time.After(patience)
	tick := time.NewTicker(beat / 4)
	defer tick.Stop()
	for {
		if !waits && r.unready() == "" {
			return nil
		}
		select {
		case p := <-r.prepared:
			if p.err != nil {
				return p.err
			}
			r.watching, waits = p.run, false
		case s := <-r.words:
			if p, w := r.take(s); w != nil && w.Failed != "" {
				return fmt.Errorf("agent %s: %s", r.nameOf(s.agent, p), w.Failed)
			}
		case <-tick.C:
			if w := r.silent(); w != nil {
				return fmt.Errorf("agent %s was lost before the run began", w.Name)
			}
		case <-over:
			return fmt.Errorf("agent %s was not ready within %v", r.unready(), patience)
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
}

// unready is an agent that is not.
func (r *run) unready() string {
	for _, p := range r.portions {
		if !p.ready {
			return p.by.Name
		}
	}
	return ""
}

func (r *run) nameOf(agent string, p *portion) string {
	if p != nil {
		return p.by.Name
	}
	for _, w := range r.workers {
		if w.Agent == agent {
			return w.Name
		}
	}
	return agent
}

// lead is how long before its beginning the beginning of a run is told.
const lead = 2 * time.Second

// begin sets the time at which all begin at once, and begins to watch.
func (r *run) begin(watch func(*series.Collector)) {
	r.start = time.Unix(0, r.mine.now()).Add(lead)
	r.began = r.mine.at(r.start)
	r.series = series.NewCollector(r.start)
	r.out.put(order{Go: r.start.UnixNano()})
	if watch != nil {
		watch(r.series)
	}
	r.watched = make(chan error, 1)
	ctx, hangUp := context.WithCancel(r.ctx)
	r.hangUp = hangUp
	if r.watching == nil {
		r.watched <- nil
	} else {
		playing := r.watching
		r.watching, r.own = nil, playing.Ledger()
		r.helpers.Go(func() {
			_, err := playing.Play(ctx, r.began, func(loop, second int, s *series.Slice) { _ = r.series.Add(loop, second, s) })
			r.watched <- err
		})
	}
	r.helpers.Go(func() { r.watchClocks(r.workers) })
}

// watchClocks compares clocks again and again.
func (r *run) watchClocks(all []*worker) {
	for pause(r.life, 5*time.Second) {
		for _, w := range all {
			if w.Machine == r.machine {
				continue
			}
			now, err := r.clock(r.life, r.mine, w, 5)
			if err != nil {
				continue
			}
			select {
			case r.clocks <- compared{w, now}:
			case <-r.life.Done():
			}
		}
	}
}

var errAlone = errors.New("all agents were lost")

// supervise takes what agents say until the run is over.
func (r *run) supervise() error {
	tick := time.NewTicker(beat / 5)
	defer tick.Stop()
	drain := r.job.Drain
	if drain == 0 {
		drain = 5 * time.Second
	}
	defer r.hangUp()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	stop := r.job.Stop
	over := time.After(time.Until(r.began) + r.job.For + drain + patience)
	for watching := true; watching || r.open() > 0; {
		select {
		case err := <-r.watched:
			if err != nil {
				return err
			}
			watching = false
		case s := <-r.words:
			if _, w := r.take(s); w != nil && w.Failed != "" {
				if err := r.lose(s.agent, "it could not go on: "+w.Failed); err != nil {
					return err
				}
			}
		case <-stop:
			stop, r.lasted = nil, max(1, min(time.Since(r.began), r.job.For))
			r.out.put(order{Stop: true})
		case c := <-r.clocks:
			if why := oneWay(c.worker.Name, c.worker.first, c.now); why != "" {
				c.worker.drift = why
			}
		case <-tick.C:
			if w := r.silent(); w != nil {
				if err := r.lose(w.Agent, fmt.Sprintf("nothing was heard of it for %v", lostAgent)); err != nil {
					return err
				}
			}
		case <-second.C:
			if r.open() == 0 && r.account(nil).Lost == 0 {
				r.hangUp() // there is nothing to wait for
			}
		case <-over:
			r.notes = append(r.notes, fmt.Sprintf("%d shares of the fleet had not ended %v after the run, and are missing", r.open(), patience))
			return nil
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
	return nil
}

// open counts the shares that are still played.
func (r *run) open() (n int) {
	for _, p := range r.portions {
		if !p.done && !p.lost {
			n++
		}
	}
	return n
}
