package frame

import (
	"slices"
	"sync"
)

// Outage takes the link down: nothing passes, and what was on its way is lost.
func (l *Link) Outage() (undo func()) { return l.noted("link down (both ways)", l.takeDown()) }

// takeDown is Outage without a word in the log.
func (l *Link) takeDown() (up func()) {
	undo := l.quietly(Both, outage)
	l.carrier.shift(-1)
	return sync.OnceFunc(func() {
		undo()
		l.carrier.shift(1)
	})
}

func outage(d *way) (undo func()) {
	d.count.Lost += int64(d.line.clear() + d.flight.clear())
	d.again()
	return d.outages.push(struct{}{})
}

// OnCarrier tells changed whether the link is up: now, and whenever an Outage or Flap begins or ends. A station uses it to take its
// interface's carrier down. Changed must not impair the link.
func (l *Link) OnCarrier(changed func(up bool)) (stop func()) { return l.carrier.on(changed) }

// carrier is up while no outage is in force.
type carrier struct {
	mu  sync.Mutex
	off int // outages, as a negative number
	all []*func(up bool)
}

func (c *carrier) shift(by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.off
	c.off += by
	if (was == 0) != (c.off == 0) {
		for _, f := range c.all {
			(*f)(c.off == 0)
		}
	}
}

func (c *carrier) on(changed func(bool)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed(c.off == 0)
	mine := &changed
	c.all = append(c.all, mine)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all = slices.DeleteFunc(c.all, func(o *func(bool)) bool { return o == mine })
	}
}
