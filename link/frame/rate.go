package frame

import (
	"fmt"
	"time"
)

// Rate is how fast a link is, and the queue before it.
type Rate struct {
	BitsPerSecond float64
	Queue         int  // bytes that may wait; 0: as many as pass in 200 ms, at least two full frames. A large one is bufferbloat
	CoDel         bool // drop by time of waiting (RFC 8289) before the queue is full
}

// Rate limits how many bits pass. Frames wait in a queue, which loses what comes when it is full (droptail).
func (l *Link) Rate(which Way, r Rate) (undo func()) {
	text := fmt.Sprintf("%.0f bit/s", r.BitsPerSecond)
	if r.BitsPerSecond >= 1e6 {
		text = fmt.Sprintf("%.3g Mbit/s", r.BitsPerSecond/1e6)
	}
	if r.CoDel {
		text += ", CoDel"
	}
	return l.impair(which, text, func(d *way) func() {
		perByte := 8 / r.BitsPerSecond * float64(l.wall(time.Second)) // wall nanoseconds
		queue := float64(r.Queue) * perByte
		if r.Queue <= 0 {
			queue = max(float64(l.wall(200*time.Millisecond)), 2*1514*perByte)
		}
		s := &shaper{perByte: perByte, queue: time.Duration(queue)}
		if r.CoDel {
			s.codel = &codel{target: l.wall(5 * time.Millisecond), interval: l.wall(100 * time.Millisecond)}
		}
		return d.rate.push(s)
	})
}

// shaper plans when frames leave a link of limited rate. As the queue is first in, first out, the time at which a frame leaves is known
// when it comes; so is how long it will have waited, which is all that CoDel asks for.
type shaper struct {
	perByte float64       // wall nanoseconds
	queue   time.Duration // longest wait, in wall time
	codel   *codel        // nil: droptail only
	free    time.Time     // when the link has sent all that came so far
}

// depart is when a frame of that size has left the link, or that it is lost.
func (s *shaper) depart(size int, now time.Time) (at time.Time, lost bool) {
	start := s.free
	if start.Before(now) {
		start = now
	}
	waits := start.Sub(now)
	if waits > s.queue || s.codel != nil && s.codel.drops(start, waits) {
		return now, true
	}
	s.free = start.Add(time.Duration(float64(size) * s.perByte))
	return s.free, false
}
