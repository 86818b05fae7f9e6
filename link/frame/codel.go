package frame

import (
	"math"
	"time"
)

// codel is the control law of RFC 8289, section 5, after its pseudo-code: a queue that stands above the target for an interval starts
// drops, which come closer together with the square root of their number until the queue is below the target again. The names are those
// of the RFC.
type codel struct {
	firstAbove time.Duration // when the queue will have been above target for an interval; 0: it is below
	dropNext   time.Duration
	count      int // drops in this spell
	lastCount  int // and in the one before
	dropping   bool
}

// dequeue takes the frame out of the line whose turn it is at now, and says how many were dropped before it. The frame is nil when
// none is left. The line is not empty.
func (c *codel) dequeue(now time.Duration, r *shaper, l *line) (h held, dropped int) {
	h, mayDrop := c.doDequeue(now, r, l)
	switch {
	case c.dropping:
		if !mayDrop {
			c.dropping = false
		}
		for c.dropping && now >= c.dropNext {
			dropped++
			c.count++
			if h, mayDrop = c.doDequeue(now, r, l); !mayDrop {
				c.dropping = false
			} else {
				c.dropNext = c.law(c.dropNext, r)
			}
		}
	case mayDrop:
		dropped++
		h, _ = c.doDequeue(now, r, l)
		c.dropping = true
		delta := c.count - c.lastCount
		c.count = 1
		if delta > 1 && now-c.dropNext < 16*r.interval { // it was dropping shortly before: go on nearly as fast
			c.count = delta
		}
		c.dropNext = c.law(now, r)
		c.lastCount = c.count
	}
	return h, dropped
}

// doDequeue takes out the first frame, and says whether it may be dropped.
func (c *codel) doDequeue(now time.Duration, r *shaper, l *line) (h held, mayDrop bool) {
	if l.len() == 0 || l.waiting.front().came > now {
		c.firstAbove, c.dropping = 0, false
		return held{}, false
	}
	h = l.pop()
	switch {
	case now-h.came < r.target || l.bytes <= fullFrame:
		c.firstAbove = 0
	case c.firstAbove == 0:
		c.firstAbove = now + r.interval
	case now >= c.firstAbove:
		mayDrop = true
	}
	return h, mayDrop
}

func (c *codel) law(t time.Duration, r *shaper) time.Duration {
	return t + time.Duration(float64(r.interval)/math.Sqrt(float64(c.count)))
}
