package frame

import (
	"fmt"
	"time"
)

// Rate is how fast a link is, and the queue before it.
type Rate struct {
	BitsPerSecond float64 // below 1 counts as 1
	Queue         int     // bytes that may wait; 0: as many as pass in 200 ms, at least two full frames. A large one is bufferbloat
	CoDel         bool    // drop by time of waiting (RFC 8289) before the queue is full
}

func (r Rate) String() string {
	text := fmt.Sprintf("%.0f bit/s", r.BitsPerSecond)
	switch {
	case r.BitsPerSecond >= 1e6:
		text = fmt.Sprintf("%.3g Mbit/s", r.BitsPerSecond/1e6)
	case r.BitsPerSecond >= 1e3:
		text = fmt.Sprintf("%.3g kbit/s", r.BitsPerSecond/1e3)
	}
	if r.CoDel {
		text += ", CoDel"
	}
	return text
}

// Rate limits how many bits pass. Frames wait in a queue, which loses what comes when it is full (droptail). A change of rate takes
// effect for what waits already.
func (l *Link) Rate(which Way, r Rate) (undo func()) {
	return l.impair(which, r.String(), func(d *way) func() {
		take := func() {}
		d.pace(func() { take = d.rate.push(l.shaper(r)) })
		return func() { d.pace(take) }
	})
}

// shaper is a Rate in wall time.
type shaper struct {
	perByte  float64 // nanoseconds
	queue    int     // bytes
	codel    bool
	target   time.Duration
	interval time.Duration
}

// fullFrame is the length of the longest Ethernet frame.
const fullFrame = 1514

func (l *Link) shaper(r Rate) shaper {
	bits := max(r.BitsPerSecond, 1)
	queue := r.Queue
	if queue <= 0 {
		queue = max(int(bits/8*0.2), 2*fullFrame)
	}
	return shaper{
		perByte: 8 / bits * float64(l.wall(time.Second)), queue: queue,
		codel: r.CoDel, target: l.wall(5 * time.Millisecond), interval: l.wall(100 * time.Millisecond),
	}
}

// takes is how long the link takes to send so many bytes.
func (s *shaper) takes(bytes int) time.Duration { return time.Duration(float64(bytes) * s.perByte) }

// pace changes the rate: what has waited until now did so at the old one, and the frame that is being sent takes no longer than at the
// new one. d.mu is held.
func (d *way) pace(change func()) {
	now := d.link.now()
	d.advance(now)
	was := 0.0
	if r := d.rate.top(); r != nil {
		was = r.perByte
	}
	change()
	if rest := d.line.free - now; rest > 0 && was > 0 {
		then := time.Duration(0)
		if r := d.rate.top(); r != nil {
			then = min(rest, time.Duration(float64(rest)/was*r.perByte))
		}
		d.line.free = now + then
		d.finish(now, rest-then)
	}
	d.advance(now)
	d.again()
}
