package link

// silence is what a connection lets through.
type silence int

const (
	passing silence = iota
	frozen          // nothing passes for now
	lost            // nothing passes any more; the connection is dead
)

// Blackhole makes the link silent, as when a NAT or a firewall has lost its state: nothing passes either way, no FIN, no RST. New
// connections are completed by the kernel, logged, and stay silent. The socket is still watched, so the time at which the part
// gives up is logged as its Close event. Undo resets every connection that was silenced: its state is gone.
func (s *Stream) Blackhole() (undo func()) {
	s.hush(&s.holes, 1)
	return s.impair("black hole", func() {
		s.hush(&s.holes, -1)
	})
}

// silence is what holds for the link as a whole; s.mu is held.
func (s *Stream) silence() silence {
	switch {
	case s.holes > 0:
		return lost
	case s.freezes > 0:
		return frozen
	}
	return passing
}

// hush adds by to one of the counts of silencing impairments and tells every connection what holds now.
func (s *Stream) hush(count *int, by int) {
	s.hushing.Lock()
	defer s.hushing.Unlock()
	s.mu.Lock()
	*count += by
	now := s.silence()
	all := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.setHush(now)
	}
}

func (c *Conn) setHush(now silence) {
	c.mu.Lock()
	due, how := false, c.wanted
	switch {
	case c.hush == lost && now != lost:
		due, how = true, byReset
	default:
		c.hush = now
		if now != passing {
			c.spill()
		}
		due = now == passing && c.wanted != open
	}
	c.wake()
	c.mu.Unlock()
	if due {
		c.shut(how)
	}
}

// unheard says whether the connection began in a black hole, so that no stand-in gets it.
func (c *Conn) unheard() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hush == lost
}
