package internet

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// isns has the TCP connections of a host begin with other sequence numbers than its stack gives them.
type isns struct {
	next func() uint32

	mu  sync.Mutex
	all map[flowISN]*shift
}

// flowISN is a connection of the host over IPv4.
type flowISN struct {
	port uint16
	peer netip.AddrPort
}

// shift is how far the numbers of a connection are moved.
type shift struct{ stack, by uint32 }

// Begin has every connection that the host makes over IPv4 from now on begin with the sequence number that next gives, as a stack does
// that does not follow RFC 6528. Selective acknowledgements are not moved along, so that the host takes no notice of them. Connections
// from before an earlier Begin are lost.
func (h *Host) Begin(next func() uint32) {
	h.isns.Store(&isns{next: next, all: map[flowISN]*shift{}})
}

// out moves the sequence number of a frame on its way out.
func (s *isns) out(f []byte) {
	s.move(f, 4, func(p packet) (flowISN, bool) {
		from, to, _ := p.ports()
		flow := flowISN{from, netip.AddrPortFrom(p.dst, to)}
		if isn := binary.BigEndian.Uint32(p.body()[4:]); p.flags()&(syn|ack) == syn && (s.all[flow] == nil || s.all[flow].stack != isn) {
			s.all[flow] = &shift{stack: isn, by: s.next() - isn}
		}
		return flow, true
	})
}

// in moves what a frame on its way in acknowledges back.
func (s *isns) in(f []byte) {
	s.move(f, 8, func(p packet) (flowISN, bool) {
		from, to, _ := p.ports()
		return flowISN{to, netip.AddrPortFrom(p.src, from)}, p.flags()&ack != 0
	})
}

// move changes the number at offset at of a TCP segment, and mends its checksum.
func (s *isns) move(f []byte, at int, of func(packet) (flowISN, bool)) {
	if s == nil {
		return
	}
	p, ok := parse(f)
	if !ok || p.proto != TCP || !p.whole {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	flow, ok := of(p)
	moved := s.all[flow]
	if !ok || moved == nil {
		return
	}
	by := moved.by
	if at == 8 {
		by = -by
	}
	field := p.body()[at : at+4]
	was := [4]byte(field)
	binary.BigEndian.PutUint32(field, binary.BigEndian.Uint32(field)+by)
	mendTransport(TCP, p.body(), was[:], field)
}
