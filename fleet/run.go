package fleet

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// Share is what became of a job: the account of its messages, and how the fleet came back.
type Share struct {
	Ledger  *count.Ledger  // of what devices sent, and behind that of the commands that were sent to them
	Streams int            // sources of the ledger that devices sent
	Outage  *series.Outage // that the course made; nil: none
	Given   Given          // identities that provisioning gave to devices of this share
	Lasted  time.Duration  // the course, from the beginning of the run: Job.For, or less where it was stopped
}

// Run is a job that is ready to begin.
type Run struct {
	plan   *plan
	shards []*shard
	cancel context.CancelFunc
}

// Prepare makes everything ready: the fleet is compiled, and the operator, where there is one, is connected and subscribed. The error says
// why the job can't be carried out. A run that is not played must be closed.
func Prepare(ctx context.Context, job Job) (*Run, error) {
	if job.Run == 0 {
		job.Run = uint32(time.Now().UnixNano()) | 1
	}
	inner, cancel := context.WithCancel(ctx)
	r := &Run{cancel: cancel}
	defer onStop(job, cancel)()
	var err error
	if r.plan, err = newPlan(inner, job); err == nil {
		r.shards, err = r.plan.newShards()
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("prepare the fleet: %w", err)
	}
	r.plan.start = time.Now()
	for _, s := range r.shards {
		if err := s.prelude(inner); err != nil {
			r.Close()
			return nil, fmt.Errorf("prepare the fleet: %w", err)
		}
	}
	return r, nil
}

// onStop calls f when a job is stopped, until what it returns is called.
func onStop(job Job, f func()) (until func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-job.Stop:
			f()
		case <-done:
		}
	}()
	return func() { close(done) }
}

// stop ends the course now.
func (r *Run) stop() {
	now := max(0, int64(time.Since(r.plan.start)))
	if now >= r.plan.over.Load() {
		return
	}
	r.plan.over.Store(now)
	for _, s := range r.shards {
		s.poll.wake()
	}
}

// Close ends a run that was not played.
func (r *Run) Close() {
	r.cancel()
	for _, s := range r.shards {
		s.end()
	}
	r.shards = nil
}

// Ledger is the account of messages so far. It is safe for concurrent use.
func (r *Run) Ledger() *count.Ledger { return r.plan.ledger }

// Sink takes what one loop measured in a second, counted from the start. It is called by several goroutines.
type Sink func(loop, second int, s *series.Slice)

// Play plays the fleet from a time on, which may be now, until it is over or ctx ends; for a share that begins later than the run, start is
// when the run began. The error is one of the system's: whatever the target does goes to sink.
func (r *Run) Play(ctx context.Context, start time.Time, sink Sink) (*Share, error) {
	p := r.plan
	p.start = time.Now()
	wait := time.Until(start)
	if p.job.Begin > 0 || wait > 0 {
		p.start = start
		wait += p.job.Begin
	}
	defer onStop(p.job, r.stop)()
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-p.job.Stop:
		case <-ctx.Done():
		}
	}
	defer spare(len(r.shards))()
	group, ctx := errgroup.WithContext(ctx) // a loop that fails ends the others
	for _, s := range r.shards {
		s.sink = sink
		s.enlist()
		group.Go(func() error {
			defer s.end()
			return s.loop(ctx)
		})
	}
	over, done := context.WithCancel(ctx)
	var saving sync.WaitGroup
	saving.Go(func() { r.frugal(over) })
	err := group.Wait()
	done()
	saving.Wait()
	r.cancel()
	if err != nil {
		return nil, fmt.Errorf("run the fleet: %w", err)
	}
	out := &Share{Ledger: p.ledger, Streams: p.job.Fleet.Devices * p.perEach, Lasted: time.Duration(p.over.Load()), Given: p.identities.seen}
	if cut := p.course.cut(); cut > 0 && cut < out.Lasted {
		out.Outage = &series.Outage{Second: int(cut.Seconds()), Cause: "the fleet cut its connections, as the shape " + p.job.Shape + " wants"}
	}
	for _, s := range r.shards {
		if o := out.Outage; o != nil {
			o.Devices += s.cutOffs
			o.Away += s.away
			o.Back = max(o.Back, time.Duration(s.backAt-int64(p.course.cut())).Seconds())
		}
	}
	return out, nil
}

// frugal gives back what is needed for a time only: once a second has ended in which all devices were connected, what the start took; and
// each minute what the garbage collector keeps for later, which would look like growth in a long run. It ends with ctx.
func (r *Run) frugal(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for second, trimmed := 1, false; ; second++ {
		away := int64(r.plan.job.To - r.plan.job.From)
		for _, s := range r.shards {
			away -= s.stood.Load()
		}
		switch {
		case !trimmed && away <= 0:
			trim()
			trimmed = true
		case second%60 == 0:
			debug.FreeOSMemory()
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// newShards deals the devices out to event loops.
func (p *plan) newShards() (all []*shard, err error) {
	n := p.job.To - p.job.From
	many := p.loops()
	for k := range many {
		s, err := p.newShard(p.job.From+n*k/many, p.job.From+n*(k+1)/many, k == 0 && p.operates != nil)
		if err != nil {
			return all, err
		}
		all = append(all, s)
		s.place, s.loops, s.boss = k, many, all[0]
	}
	return all, nil
}

// newShard makes a loop of the devices from one number to before another, and of the operator.
func (p *plan) newShard(from, to int, operator bool) (*shard, error) {
	poll, err := newPoll()
	if err != nil {
		return nil, err
	}
	n := to - from
	s := &shard{
		plan: p, first: from, poll: poll, operator: -1, meter: &series.Meter{}, rand: rand.New(rand.NewPCG(p.job.Seed, uint64(from))),
		devices: make([]device, n, n+1), streams: make([]stream, n*p.perEach), orders: make([]stream, n*p.perOrder),
		buf: make([]byte, 64<<10), packet: make([]byte, 0, 1024), cutAt: int64(p.course.cut()), sink: func(int, int, *series.Slice) {},
	}
	if operator {
		s.operator = int32(n)
		s.devices = append(s.devices, device{})
	}
	s.life, s.dies = context.WithCancel(p.ctx)
	updates := 0
	if p.updates {
		updates = n
	}
	s.timers = newTimers(len(s.devices) + len(s.streams) + len(s.orders) + updates)
	for i := range s.devices {
		s.devices[i].fd = -1
	}
	if p.job.Notice != "" {
		s.notices = make([]uint32, len(s.devices))
	}
	for i := range s.streams {
		s.streams[i].seq = p.job.Seq
	}
	for i := range s.orders {
		s.orders[i].seq = p.job.Seq
	}
	if begin := p.job.Begin; begin > 0 {
		s.second = int(begin / time.Second)
		if s.cutAt < int64(begin) {
			s.cutAt = 0
		}
	}
	p.ledger.Declare(s.sourceOf(0), uint32(len(s.streams)), 0)
	p.ledger.Declare(p.orderOf(from, 0), uint32(len(s.orders)), 0)
	if operator && p.job.Watch && n < p.job.Fleet.Devices { // what others send arrives here
		p.ledger.Declare(0, uint32(p.job.Fleet.Devices*p.perEach), 2*Most(p.job, p.length))
	}
	return s, nil
}

// catchUp is within what time the devices connect that a share takes over.
const catchUp = 3 * time.Second

// enlist sets the time at which each device connects first, and at which it updates.
func (s *shard) enlist() {
	n, begin := s.job.To-s.job.From, s.job.Begin
	room := min(catchUp, time.Duration(float64(n)/s.job.Fleet.Connects*float64(time.Second)))
	for i := range s.devices {
		if int32(i) == s.operator {
			continue
		}
		at := s.course.joins(s.first+i, s.job.Fleet.Devices)
		if at < begin {
			at = begin + time.Duration(float64(room)*float64(s.first+i-s.job.From)/float64(n))
		}
		s.timers.set(int32(i), int64(at))
		if s.plan.updates && len(s.classOf(int32(i)).updates) > 0 {
			if at := s.course.update(s.rand); at >= begin {
				s.timers.set(int32(len(s.devices)+len(s.streams)+len(s.orders)+i), int64(at))
			}
		}
	}
}
