package internet

import (
	"slices"
	"sync"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Switch is an Ethernet segment: it learns which station is behind which link, and floods what it does not know. It is safe for
// concurrent use.
type Switch struct {
	mu      sync.RWMutex
	ports   []*frame.Link
	learned map[[6]byte]*frame.Link
	isolate bool
}

// maxLearned bounds the table against a station that invents addresses.
const maxLearned = 1024

// Join attaches the far end of a link: its near end is a station of this segment.
func (s *Switch) Join(l *frame.Link) {
	s.mu.Lock()
	s.ports = append(s.ports, l)
	s.mu.Unlock()
	l.Far(func(f []byte) { s.forward(l, f) })
}

// DropMulticast makes the segment lose all multicast but ARP, DHCP and neighbour discovery, as access points with IGMP snooping or
// isolation do.
func (s *Switch) DropMulticast() (undo func()) {
	set := func(v bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.isolate = v
	}
	set(true)
	return func() { set(false) }
}

// forward takes a frame from one station to the others.
func (s *Switch) forward(from *frame.Link, f []byte) {
	if len(f) < 14 {
		return
	}
	source, target := [6]byte(f[6:12]), [6]byte(f[:6])
	s.mu.RLock()
	known := s.learned[source] == from
	to := s.learned[target]
	multicast := target[0]&1 != 0
	isolate := s.isolate && multicast && target[0] != 0xff && !neighbourDiscovery(f)
	ports := s.ports
	s.mu.RUnlock()
	if !known {
		s.learn(source, from)
	}
	if isolate {
		return
	}
	if to != nil && !multicast {
		if to != from {
			to.SendDown(f)
		}
		return
	}
	for _, p := range ports {
		if p != from {
			p.SendDown(slices.Clone(f))
		}
	}
}

func (s *Switch) learn(mac [6]byte, at *frame.Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.learned == nil || len(s.learned) >= maxLearned {
		s.learned = map[[6]byte]*frame.Link{}
	}
	s.learned[mac] = at
}

// neighbourDiscovery reports whether a multicast frame is ICMPv6 of link scope that IPv6 cannot do without (RFC 4861).
func neighbourDiscovery(f []byte) bool {
	return len(f) > 14+40 && f[12] == 0x86 && f[13] == 0xDD && f[14+6] == 58 && f[14+40] >= 133 && f[14+40] <= 136
}
