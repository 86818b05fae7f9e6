package frame

import (
	"math"
	"time"
)

// codel is the control law of RFC 8289, section 5, with its constants: a standing queue above target for an interval starts drops,
// which come closer together with the square root of their number until the queue is below target again.
type codel struct {
	target, interval time.Duration // wall time

	above    time.Time // when the queue will have been above target for an interval; zero: it is below
	dropping bool
	next     time.Time // the next drop
	count    int       // drops in this spell
	last     int       // and in the one before
}

// drops reports whether the frame that leaves the queue at now, after it waited so long, is dropped.
func (c *codel) drops(now time.Time, waited time.Duration) bool {
	if waited < c.target {
		c.above, c.dropping = time.Time{}, false
		return false
	}
	if c.above.IsZero() {
		c.above = now.Add(c.interval)
		return false
	}
	switch {
	case now.Before(c.above):
		return false
	case c.dropping && now.Before(c.next):
		return false
	case c.dropping:
		c.count++
		c.next = c.law(c.next)
	default:
		c.dropping = true
		delta := c.count - c.last
		c.count = 1
		if delta > 1 && now.Sub(c.next) < 16*c.interval { // it was dropping shortly before: go on nearly as fast
			c.count = delta
		}
		c.last = c.count
		c.next = c.law(now)
	}
	return true
}

func (c *codel) law(t time.Time) time.Time {
	return t.Add(time.Duration(float64(c.interval) / math.Sqrt(float64(c.count))))
}
