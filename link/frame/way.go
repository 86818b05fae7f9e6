package frame

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// limit is how many frames may wait in one way; what comes beyond is lost, as in any real device. It is large enough for 100 Mbit/s over
// a geostationary satellite.
const limit = 20000

// way is one direction of a link: what is in force, and the queue of frames that have to wait.
type way struct {
	link *Link
	is   Way

	mu      sync.Mutex
	rng     *rand.Rand
	receive func([]byte)
	closed  bool
	count   Count

	holes      force[struct{}]
	outages    force[struct{}]
	filters    force[Filter]
	loss       force[*chance]
	bursts     force[*bursts]
	mtu        force[mtu]
	corruption force[*chance]
	duplicates force[*chance]
	rate       force[*shaper]
	latency    force[*delay]
	reordering force[*reorder]

	queue queue
	last  time.Time // the latest delivery that was planned in order
}

// force holds what is in force of one sort; the latest counts. The zero value holds nothing. The way's mutex guards it.
type force[T any] struct {
	all []*T
}

func (f *force[T]) push(v T) (undo func()) {
	mine := &v
	f.all = append(f.all, mine)
	return func() { f.all = slices.DeleteFunc(f.all, func(p *T) bool { return p == mine }) }
}

func (f *force[T]) top() (v T, ok bool) {
	if len(f.all) == 0 {
		return v, false
	}
	return *f.all[len(f.all)-1], true
}

func (d *way) open(w *Link, is Way, rng *rand.Rand) {
	d.link, d.is, d.rng = w, is, rng
	d.queue.open(d)
}

func (d *way) attach(receive func([]byte)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.receive = receive
}

func (d *way) counts() Count {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// send puts a frame on its way.
func (d *way) send(frame []byte) {
	if d.is == Up && d.link.o.Capture != nil {
		d.link.o.Capture(frame, Up)
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	d.count.Sent++
	if !d.impaired() && d.queue.empty() {
		receive := d.delivered(frame)
		d.mu.Unlock()
		d.hand(receive, frame)
		return
	}
	back := d.pass(frame, time.Now())
	d.mu.Unlock()
	for _, f := range back {
		d.link.other(d.is).send(f)
	}
}

// impaired reports whether anything is in force; d.mu is held.
func (d *way) impaired() bool {
	return len(d.holes.all)+len(d.outages.all)+len(d.filters.all)+len(d.loss.all)+len(d.bursts.all)+len(d.mtu.all)+len(d.corruption.all)+
		len(d.duplicates.all)+len(d.rate.all)+len(d.latency.all)+len(d.reordering.all) > 0
}

// pass takes a frame through what is in force and queues what is left of it. It returns frames to send back. d.mu is held.
func (d *way) pass(frame []byte, now time.Time) (back [][]byte) {
	if d.swallows(frame) {
		d.count.Lost++
		return nil
	}
	frames := [][]byte{frame}
	if m, ok := d.mtu.top(); ok {
		frames, back = m.fit(frame)
		if len(frames) == 0 {
			d.count.Lost++
		}
	}
	for _, f := range frames {
		if c, ok := d.corruption.top(); ok && c.happens(d.rng) {
			corrupt(f, d.rng)
		}
		if c, ok := d.duplicates.top(); ok && c.happens(d.rng) {
			d.plan(slices.Clone(f), now)
		}
		d.plan(f, now)
	}
	return back
}

// swallows reports whether a frame is lost right away; d.mu is held.
func (d *way) swallows(frame []byte) bool {
	if len(d.outages.all) > 0 || len(d.holes.all) > 0 {
		return true
	}
	for _, keep := range d.filters.all {
		if !(*keep)(frame) {
			return true
		}
	}
	if b, ok := d.bursts.top(); ok && b.happens(d.rng) {
		return true
	}
	c, ok := d.loss.top()
	return ok && c.happens(d.rng)
}

// plan queues a frame for the wall time at which it is due; d.mu is held.
func (d *way) plan(frame []byte, now time.Time) {
	at := now
	if r, ok := d.rate.top(); ok {
		var lost bool
		if at, lost = r.depart(len(frame), now); lost {
			d.count.Lost++
			return
		}
	}
	if l, ok := d.latency.top(); ok {
		at = at.Add(l.next(d.rng))
	}
	switch r, ok := d.reordering.top(); {
	case ok && r.happens(d.rng):
		at = at.Add(r.by) // those that follow overtake it
	case at.Before(d.last):
		at = d.last
	default:
		d.last = at
	}
	if !d.queue.push(frame, at) {
		d.count.Lost++
	}
}

// delivered counts a frame and says who receives it; d.mu is held.
func (d *way) delivered(frame []byte) (receive func([]byte)) {
	if d.receive == nil {
		d.count.Lost++
		return nil
	}
	d.count.Delivered++
	d.count.Bytes += int64(len(frame))
	return d.receive
}

// hand gives a frame to its receiver; d.mu is not held.
func (d *way) hand(receive func([]byte), frame []byte) {
	if receive == nil {
		return
	}
	if d.is == Down && d.link.o.Capture != nil {
		d.link.o.Capture(frame, Down)
	}
	receive(frame)
}

func (d *way) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.queue.close()
}

// other is the way against w.
func (l *Link) other(is Way) *way {
	if is == Up {
		return &l.down
	}
	return &l.up
}

// wall is a span of device time as wall time.
func (l *Link) wall(d time.Duration) time.Duration { return l.o.Clock.Wall(d) }
