package frame

import "time"

// grain is by how much a frame may come early, so that a fast link does not wake up for each frame by itself.
const grain = 50 * time.Microsecond

// batch is how many frames are handed over before the way is looked at again.
const batch = 64

// courier is the goroutine of a way that hands over what was delayed; it runs while there is any. The way's mutex guards it.
type courier struct {
	running bool
	idle    chan struct{} // closed when it has ended
	until   time.Duration // when it will look again; 0: it does not sleep
	alarm   alarm
}

// due takes out what is to be handed over by now, at most a batch, and counts it; d.mu is held.
func (d *way) due(out [][]byte, now time.Duration) [][]byte {
	d.advance(now)
	for len(out) < batch {
		at, any := d.flight.next()
		if !any || at > now+grain {
			break
		}
		p := d.flight.pop()
		if d.delivered(p.frame) != nil {
			out = append(out, p.frame)
		}
	}
	return out
}

// next is when something has to be done, if ever; d.mu is held.
func (d *way) next() (at time.Duration, any bool) {
	at, any = d.flight.next()
	if d.line.len() > 0 {
		if turn := d.line.turn(); !any || turn < at {
			return turn, true
		}
	}
	return at, any
}

// wakeFor sees to it that the courier does not sleep too long. When there is something to do and it does not run, it is claimed, and the
// caller has to start it. d.mu is held.
func (d *way) wakeFor() (start bool) {
	at, any := d.next()
	switch {
	case d.closed || !any && !d.running:
	case !d.running:
		d.running, d.idle, d.until = true, make(chan struct{}), 0
		return true
	case d.until > 0 && (!any || at < d.until-grain):
		d.until = 0
		d.alarm.ring()
	}
	return false
}

// run is the courier.
func (d *way) run() {
	defer close(d.idle)
	var some [batch][]byte
	d.mu.Lock()
	for !d.closed {
		now := d.link.now()
		if handed := d.due(some[:0], now); len(handed) > 0 {
			receive := d.receive
			d.mu.Unlock()
			for i, f := range handed {
				d.hand(receive, f)
				some[i] = nil
			}
			d.mu.Lock()
			continue
		}
		at, any := d.next()
		if !any {
			break
		}
		d.until = at
		d.alarm.set(d.link.start.Add(at))
		d.mu.Unlock()
		d.alarm.wait()
		d.mu.Lock()
		d.until = 0
	}
	d.running = false
	d.mu.Unlock()
}

// close ends the courier and waits for it. What was on its way is lost.
func (d *way) close() {
	d.mu.Lock()
	d.closed = true
	running, idle := d.running, d.idle
	if running {
		d.alarm.ring()
	}
	d.mu.Unlock()
	if running {
		<-idle
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count.Lost += int64(d.line.clear() + d.flight.clear())
	d.alarm.close()
}

// again is wakeFor after a change of what is in force; d.mu is held.
func (d *way) again() {
	if d.wakeFor() {
		go d.run()
	}
}
