package frame

import (
	"context"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// Conditions is how one way of a link is at a time. What is zero does not impair it.
type Conditions struct {
	Latency   Latency
	Rate      Rate
	Loss      float64
	Bursts    GilbertElliott
	Duplicate float64
	Corrupt   float64
	Reorder   float64
	ReorderBy time.Duration
}

// Course is conditions that change over time. For the link it is one impairment, which began when the course did: what is put in force
// later counts, also after a change of the course. It is safe for concurrent use.
type Course struct {
	link     *Link
	up, down steering
	heal     func()
	ctx      context.Context // ends with the course, or with the link
	cancel   context.CancelFunc
	steered  sync.WaitGroup

	mu    sync.Mutex
	raise func() // not nil while the course has taken the link down
	over  bool
}

// steering is the entries of a course in one way.
type steering struct {
	way        *way
	latency    slot[delay]
	rate       slot[shaper]
	loss       slot[chance]
	bursts     slot[bursts]
	duplicates slot[chance]
	corruption slot[chance]
	reordering slot[reorder]
	undos      []func()
}

// Course begins a course with nothing impaired. What says what it is, for the log.
func (l *Link) Course(what string) *Course {
	c := &Course{link: l, up: steering{way: &l.up}, down: steering{way: &l.down}}
	c.ctx, c.cancel = context.WithCancel(l.ctx)
	c.up.begin()
	c.down.begin()
	c.heal = l.noted(what, func() {
		c.cancel()
		c.steered.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.over = true
		c.up.end()
		c.down.end()
		if c.raise != nil {
			c.raise()
		}
	})
	return c
}

// Set changes the conditions of both ways. After End it does nothing.
func (c *Course) Set(up, down Conditions) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.up.set(up)
	c.down.set(down)
}

// Outage takes the link down, or up again. After End it does nothing.
func (c *Course) Outage(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over || down == (c.raise != nil):
	case down:
		c.raise = c.link.takeDown()
	default:
		c.raise()
		c.raise = nil
	}
}

// Steer has a goroutine change the course over time. Its context ends with the course or the link, which wait for it.
func (c *Course) Steer(steer func(context.Context)) {
	c.steered.Add(1)
	if !c.link.begin(func() {
		defer c.steered.Done()
		steer(c.ctx)
	}) {
		c.steered.Done()
	}
}

// Tell notes in the log what the course does now.
func (c *Course) Tell(text string) { c.link.note(evidence.Seen, c.link.o.Name+": "+text) }

// End undoes the course. It may be called any number of times, but not by who steers it.
func (c *Course) End() { c.heal() }

func (s *steering) begin() {
	d := s.way
	d.mu.Lock()
	defer d.mu.Unlock()
	s.undos = []func(){
		d.latency.put(&s.latency), d.rate.put(&s.rate), d.loss.put(&s.loss), d.bursts.put(&s.bursts), d.duplicates.put(&s.duplicates),
		d.corruption.put(&s.corruption), d.reordering.put(&s.reordering),
	}
}

// set changes the entries in place; the state of jitter and bursts goes on.
func (s *steering) set(v Conditions) {
	d, l := s.way, s.way.link
	d.mu.Lock()
	defer d.mu.Unlock()
	s.loss.v, s.duplicates.v, s.corruption.v = likely(v.Loss), likely(v.Duplicate), likely(v.Corrupt)
	s.bursts.v = set(s.bursts.v, v.Bursts != GilbertElliott{}, func(b *bursts) { b.GilbertElliott = v.Bursts })
	if v.Reorder <= 0 && s.reordering.v != nil {
		d.release()
	}
	s.reordering.v = set(s.reordering.v, v.Reorder > 0, func(r *reorder) { *r = reorder{chance{v.Reorder}, l.wall(v.ReorderBy)} })
	d.pace(func() {
		s.rate.v = set(s.rate.v, v.Rate.BitsPerSecond > 0, func(r *shaper) { *r = l.shaper(v.Rate) })
	})
	d.slow(func() {
		s.latency.v = set(s.latency.v, v.Latency != Latency{}, func(was *delay) {
			now := l.delay(v.Latency)
			now.deviation = was.deviation
			*was = now
		})
	})
}

func likely(p float64) *chance {
	if p <= 0 {
		return nil
	}
	return &chance{p}
}

// set is what a slot holds from now on: what it held, changed, or nothing.
func set[T any](held *T, on bool, change func(*T)) *T {
	if !on {
		return nil
	}
	if held == nil {
		held = new(T)
	}
	change(held)
	return held
}

func (s *steering) end() {
	d := s.way
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pace(func() {
		d.slow(func() {
			for _, undo := range s.undos {
				undo()
			}
			d.release()
		})
	})
}
