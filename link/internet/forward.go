package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/shakedown-test/shakedown/link/frame"
)

// fromInside takes a frame from the network.
func (r *Router) fromInside(f []byte) {
	if len(f) < ethernet {
		return
	}
	mine := [6]byte(f[:6]) == r.mac
	if !r.up() || !mine && f[0]&1 == 0 {
		return
	}
	p, ok := parse(f)
	if !mine || !ok || p.dst == r.o.lan.Addr() {
		r.learn(f)
		r.inner.SendDown(f)
		return
	}
	if p.dst.IsMulticast() || r.o.lan.Contains(p.dst) {
		return
	}
	if !p.age() {
		r.o.inside.SendUp(p.icmpError(r.o.lan.Addr(), 11, 0)) // time exceeded
		return
	}
	r.mu.Lock()
	r.neighbours(p.src, [6]byte(f[6:12]))
	why := ""
	var back []byte
	if !r.o.nat.Off {
		why, back = r.translateOut(p)
	}
	if why != "" {
		r.dropped[why]++
	}
	r.mu.Unlock()
	switch {
	case back != nil:
		r.o.inside.SendUp(back)
	case why == "":
		copy(f, r.o.nextHop[:])
		copy(f[6:], r.mac[:])
		r.o.outside.SendUp(f)
	}
}

// translateOut changes a packet from inside into one from the router. It says why it cannot; back is an answer to the sender. r.mu is
// held.
func (r *Router) translateOut(p packet) (why string, back []byte) {
	key := fragment{p.src, p.dst, p.id()}
	if !p.first {
		m := r.fragments[key]
		if m == nil {
			return "fragment without its beginning", nil
		}
		p.setSource(r.wan, m.port)
		return "", nil
	}
	src, dst, ok := p.ports()
	if !ok {
		if p.proto == ICMP {
			return r.errorOut(p), nil
		}
		return "a protocol that NAT does not know", nil
	}
	inside, outer := netip.AddrPortFrom(p.src, src), netip.AddrPortFrom(p.dst, dst)
	if fwd, ok := r.forwardOf(p.proto, inside); ok {
		p.setSource(r.wan, fwd.Port)
		return "", nil
	}
	open := p.proto != TCP || p.flags()&syn != 0 || r.table.nat.Lost == Remapped
	m := r.table.out(p.proto, inside, outer, open)
	if m == nil {
		if p.proto == TCP && !open && r.table.nat.Lost == WithRST && p.flags()&rst == 0 {
			return "a connection that was forgotten", p.reset()
		}
		if open {
			return "no mapping is free", nil
		}
		return "a connection that was forgotten", nil
	}
	if p.proto == TCP {
		if p.flags()&syn != 0 && p.flags()&ack == 0 {
			m.answered, m.closing = false, false
		}
		m.closing = m.closing || p.flags()&(fin|rst) != 0
	}
	if !p.whole {
		r.keep(key, m)
	}
	p.setSource(r.wan, m.port)
	return "", nil
}

// errorOut translates an ICMP error from inside; r.mu is held.
func (r *Router) errorOut(p packet) (why string) {
	b := p.body()
	cited, ok := parse(slices.Concat(p.frame[:ethernet], whole(b[8:])))
	if !ok || !cited.first {
		return "an ICMP error that cites nothing known"
	}
	src, dst, ok := cited.ports()
	if !ok {
		return "an ICMP error that cites nothing known"
	}
	m := r.table.out(cited.proto, netip.AddrPortFrom(cited.dst, dst), netip.AddrPortFrom(cited.src, src), false)
	if m == nil {
		return "an ICMP error that cites nothing known"
	}
	recite(b, 16, 2, cited.header, r.wan, m.port)
	p.setSource(r.wan, 0)
	return ""
}

// fromOutside takes a frame from the
func (r *Router) fromOutside(f []byte) {
	p, ok := parse(f)
	if !ok || !r.up() {
		return
	}
	r.mu.Lock()
	why := r.translateIn(&p)
	mac, known := r.neighbour[p.dst]
	if why == "" && !known {
		why = "nobody in the network has the address"
	}
	if why == "" && !p.age() {
		why = "time to live ran out"
	}
	if why != "" {
		r.dropped[why]++
	}
	r.mu.Unlock()
	if why != "" {
		return
	}
	copy(f, mac[:])
	copy(f[6:], r.mac[:])
	r.o.inside.SendUp(f)
}

// translateIn changes a packet to the router into one for who is inside. It says why it cannot. r.mu is held.
func (r *Router) translateIn(p *packet) (why string) {
	if r.o.nat.Off {
		return ""
	}
	if p.dst != r.wan {
		return "another address"
	}
	key := fragment{p.src, p.dst, p.id()}
	if !p.first {
		m := r.fragments[key]
		if m == nil {
			return "fragment without its beginning"
		}
		p.setTarget(m.inside.Addr(), m.inside.Port())
		p.dst = m.inside.Addr()
		return ""
	}
	src, dst, ok := p.ports()
	if !ok {
		return r.errorIn(p)
	}
	if fwd, ok := r.forwarded[outside{p.proto, dst}]; ok && r.valid(fwd) {
		p.setTarget(fwd.To.Addr(), fwd.To.Port())
		p.dst = fwd.To.Addr()
		return ""
	}
	from := netip.AddrPortFrom(p.src, src)
	if p.proto == ICMP {
		from = netip.AddrPortFrom(p.src, dst)
	}
	m := r.table.in(p.proto, dst, from)
	if m == nil {
		return "no mapping"
	}
	if p.proto == TCP {
		m.answered = true
		m.closing = m.closing || p.flags()&(fin|rst) != 0
		m.used = r.table.now() // RFC 5382 counts both ways; for UDP only what comes from inside refreshes (RFC 4787, REQ-6)
	}
	if !p.whole {
		r.keep(key, m)
	}
	p.setTarget(m.inside.Addr(), m.inside.Port())
	p.dst = m.inside.Addr()
	return ""
}

// errorIn translates an ICMP error about a packet that was sent from inside (RFC 5508, section 4.2); r.mu is held.
func (r *Router) errorIn(p *packet) (why string) {
	if p.proto != ICMP {
		return "a protocol that NAT does not know"
	}
	b := p.body()
	cited, ok := parse(slices.Concat(p.frame[:ethernet], whole(b[8:])))
	if !ok || !cited.first || cited.src != r.wan {
		return "an ICMP error that cites nothing known"
	}
	src, _, ok := cited.ports()
	if !ok {
		return "an ICMP error that cites nothing known"
	}
	m := r.table.alive(r.table.byPort[outside{cited.proto, src}])
	if m == nil {
		return "an ICMP error that cites nothing known"
	}
	recite(b, 12, 0, cited.header, m.inside.Addr(), m.inside.Port())
	p.setTarget(m.inside.Addr(), 0)
	p.dst = m.inside.Addr()
	return ""
}

// whole is what an ICMP error cites, filled up so that it can be read as a packet: it ends after 8 bytes of the body.
func whole(cited []byte) []byte {
	if len(cited) < 20 {
		return cited
	}
	c := slices.Clone(cited)
	header := int(c[0]&0xf) * 4
	for len(c) < header+20 {
		c = append(c, 0)
	}
	binary.BigEndian.PutUint16(c[2:], uint16(len(c)))
	return c
}

// recite changes address and port in what an ICMP error cites. The checksum of the message is made anew.
func recite(icmp []byte, at, to, header int, addr netip.Addr, port uint16) {
	cited := icmp[8:]
	now := addr.As4()
	was := [4]byte(cited[at : at+4])
	copy(cited[at:], now[:])
	mend(cited[10:], was[:], now[:])
	if len(cited) >= header+4 {
		if Protocol(cited[9]) == ICMP {
			to = 4
		}
		if len(cited) >= header+to+2 {
			binary.BigEndian.PutUint16(cited[header+to:], port)
		}
	}
	icmp[2], icmp[3] = 0, 0
	binary.BigEndian.PutUint16(icmp[2:], frame.Checksum(icmp, 0))
}

// forwardOf is the open port behind which an inner address and port is.
func (r *Router) forwardOf(proto Protocol, inside netip.AddrPort) (Forward, bool) {
	for _, f := range r.forwarded {
		if f.Protocol == proto && f.To == inside && r.valid(f) {
			return f, true
		}
	}
	return Forward{}, false
}

// learn notes the sender of an ARP message; r.mu is not held.
func (r *Router) learn(f []byte) {
	if len(f) >= 42 && binary.BigEndian.Uint16(f[12:]) == 0x0806 {
		if a := netip.AddrFrom4([4]byte(f[28:32])); !a.IsUnspecified() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.neighbours(a, [6]byte(f[22:28]))
		}
	}
}

// neighbours notes who has an address; r.mu is held.
func (r *Router) neighbours(a netip.Addr, mac [6]byte) {
	if len(r.neighbour) >= maxNeighbours {
		clear(r.neighbour)
	}
	r.neighbour[a] = mac
}

// keep remembers where the later fragments of a packet go; r.mu is held.
func (r *Router) keep(k fragment, m *mapping) {
	if len(r.fragments) >= maxFragments {
		clear(r.fragments)
	}
	r.fragments[k] = m
}
