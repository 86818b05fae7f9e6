package frame

import "sync"

// carrier is whether the near end can tell that the link is there at all.
type carrier struct {
	mu   sync.Mutex
	tell func(up bool) // nil: nobody is told
	gone int           // outages in force
}

// Carrier has the near end told, from now on, when the link goes down by Outage or Flap and when it is back, as by the light at a socket.
// It is told at once when the link is down. What is told must be quick and must not use the link; nil ends it.
func (l *Link) Carrier(tell func(up bool)) {
	c := &l.carrier
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell = tell
	if tell != nil && c.gone > 0 {
		tell(false)
	}
}

// lose takes the carrier away until the undo, which is to be called once.
func (c *carrier) lose() (back func()) {
	change := func(by int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		was := c.gone
		c.gone += by
		if c.tell != nil && (was == 0) != (c.gone == 0) {
			c.tell(c.gone == 0)
		}
	}
	change(1)
	return func() { change(-1) }
}
