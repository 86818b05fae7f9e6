package frame

import (
	"cmp"
	"slices"
	"time"
)

// limit is how many frames may wait in one way; what comes beyond is lost, as in any real device. It is large enough for 100 Mbit/s over
// a geostationary satellite.
const limit = 20000

// flight is the frames that have left the line and are not there yet.
type flight struct {
	ordered  fifo[planned] // those that keep their order, with times that never go back
	overtook fifo[planned] // those that Reorder holds back, the next one due first
	last     time.Duration // the latest delivery that was planned in order
}

// planned is a frame that is due at a time.
type planned struct {
	frame []byte
	left  time.Duration // when it left the line, or will have
	by    time.Duration // for how long Reorder holds it back
	at    time.Duration // when it is due
}

func (f *flight) len() int { return f.ordered.len() + f.overtook.len() }

// clear loses what is in flight, and says how many frames that were.
func (f *flight) clear() (lost int) {
	lost = f.len()
	*f = flight{}
	return lost
}

// next is when the next frame is due, if there is one.
func (f *flight) next() (at time.Duration, any bool) {
	if f.ordered.len() > 0 {
		at, any = f.ordered.front().at, true
	}
	if f.overtook.len() > 0 && (!any || f.overtook.front().at < at) {
		at, any = f.overtook.front().at, true
	}
	return at, any
}

// pop takes out the frame that is due next.
func (f *flight) pop() planned {
	if f.ordered.len() == 0 || f.overtook.len() > 0 && f.overtook.front().at < f.ordered.front().at {
		return f.overtook.pop()
	}
	return f.ordered.pop()
}

// hold puts in a frame that is overtaken.
func (f *flight) hold(p planned) {
	f.overtook.push(p)
	all := f.overtook.all()
	for i := len(all) - 1; i > 0 && all[i].at < all[i-1].at; i-- {
		all[i], all[i-1] = all[i-1], all[i]
	}
}

// launch sends a frame that left the line on its way; d.mu is held.
func (d *way) launch(frame []byte, left time.Duration) {
	at := left
	if l := d.latency.top(); l != nil {
		at += l.next(d.late)
	}
	at = max(at, d.flight.last)
	if r := d.reordering.top(); r != nil && r.happens(d.late) {
		d.flight.hold(planned{frame, left, r.by, at + r.by})
		return
	}
	d.flight.last = at
	d.flight.ordered.push(planned{frame, left, 0, at})
}

// hasten lets what is in flight come earlier by so much, in order and not before it would have come without latency; d.mu is held.
func (d *way) hasten(by time.Duration) {
	d.flight.replan(func(p *planned) { p.at = min(p.at, max(p.at-by, p.left+p.by)) })
}

// finish lets the frame that the link is sending now have left it earlier by so much; d.mu is held.
func (d *way) finish(now, by time.Duration) {
	d.flight.replan(func(p *planned) {
		if p.left > now {
			p.left, p.at = p.left-by, p.at-by
		}
	})
}

// replan changes when frames are due, and keeps their order.
func (f *flight) replan(change func(*planned)) {
	for _, list := range [][]planned{f.overtook.all(), f.ordered.all()} {
		f.last = 0
		for i := range list {
			change(&list[i])
			f.last = max(f.last, list[i].at)
			list[i].at = f.last
		}
	}
}

// release lets go of what Reorder holds back; d.mu is held.
func (d *way) release() {
	held := d.flight.overtook.all()
	for i := range held {
		held[i].at, held[i].by = held[i].at-held[i].by, 0
	}
	slices.SortStableFunc(held, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
}
