package frame

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// way is one direction of a link: what is in force, and the frames that have to wait. A frame first waits for its turn in the line, if
// the rate is limited, and then is in flight for as long as the latency asks. Times are wall time since the link was made.
type way struct {
	link *Link
	is   Way

	mu      sync.Mutex
	rng     *rand.Rand // for what is decided as a frame comes, so that it does not depend on timing
	late    *rand.Rand // for what is decided later: jitter and reordering
	receive func([]byte)
	closed  bool
	count   Count

	holes      force[struct{}]
	outages    force[struct{}]
	filters    force[Filter]
	loss       force[chance]
	bursts     force[bursts]
	mtu        force[mtu]
	corruption force[chance]
	duplicates force[chance]
	rate       force[shaper]
	latency    force[delay]
	reordering force[reorder]

	line   line
	flight flight
	courier
}

func (d *way) open(l *Link, is Way, seed, stream uint64) {
	d.link, d.is = l, is
	d.rng, d.late = random(seed, stream, 0), random(seed, stream, 1)
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
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	d.count.Sent++
	if !d.running && !d.impaired() {
		receive := d.delivered(frame)
		d.mu.Unlock()
		d.hand(receive, frame)
		return
	}
	d.sendImpaired(frame)
}

// sendImpaired takes a frame through what is in force. What nothing delays is handed over at once; the courier comes only behind it. d.mu
// is held; it is given free.
func (d *way) sendImpaired(frame []byte) {
	now := d.link.now()
	back := d.pass(frame, now)
	var few [4][]byte
	var handed [][]byte
	if !d.running {
		handed = d.due(few[:0], now)
	}
	start := d.wakeFor()
	receive := d.receive
	d.mu.Unlock()
	for _, f := range handed {
		d.hand(receive, f)
	}
	if start {
		go d.run()
	}
	for _, f := range back {
		d.link.other(d.is).send(f)
	}
}

// impaired reports whether anything is in force; d.mu is held.
func (d *way) impaired() bool {
	return len(d.holes.all)+len(d.outages.all)+len(d.filters.all)+len(d.loss.all)+len(d.bursts.all)+len(d.mtu.all)+len(d.corruption.all)+
		len(d.duplicates.all)+len(d.rate.all)+len(d.latency.all)+len(d.reordering.all) > 0
}

// pass takes a frame through what is in force up to the line. It returns frames to send back. d.mu is held.
func (d *way) pass(frame []byte, now time.Duration) (back [][]byte) {
	if d.swallows(frame) {
		d.count.Lost++
		return nil
	}
	m := d.mtu.top()
	if m == nil || m.fits(frame) {
		d.copies(frame, now)
		return nil
	}
	on, back := m.split(frame)
	if len(on) == 0 {
		d.count.Lost++
	}
	for _, f := range on {
		d.copies(f, now)
	}
	return back
}

// copies plans a frame, corrupted or twice as it happens; d.mu is held.
func (d *way) copies(f []byte, now time.Duration) {
	if c := d.corruption.top(); c != nil && c.happens(d.rng) {
		corrupt(f, d.rng)
	}
	if c := d.duplicates.top(); c != nil && c.happens(d.rng) {
		d.plan(slices.Clone(f), now)
	}
	d.plan(f, now)
}

// swallows reports whether a frame is lost right away; d.mu is held.
func (d *way) swallows(frame []byte) bool {
	if len(d.outages.all) > 0 || len(d.holes.all) > 0 {
		return true
	}
	for _, keep := range d.filters.all {
		if !(*keep.v)(frame) {
			return true
		}
	}
	if b := d.bursts.top(); b != nil && b.happens(d.rng) {
		return true
	}
	c := d.loss.top()
	return c != nil && c.happens(d.rng)
}

// plan gives a frame its place in the line or in flight; d.mu is held.
func (d *way) plan(frame []byte, now time.Duration) {
	if d.line.len()+d.flight.len() >= limit {
		d.count.Lost++
		return
	}
	r := d.rate.top()
	if r == nil {
		d.launch(frame, now)
		return
	}
	d.advance(now)
	if !d.line.join(frame, now, r) {
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
	if d.is == Down {
		d.link.seers.show(frame, Down)
	}
	receive(frame)
}
