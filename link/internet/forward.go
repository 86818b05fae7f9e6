package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// fromInside takes a frame from the network.
func (r *Router) fromInside(f []byte) {
	if len(f) < ethernet {
		return
	}
	r.mu.Lock()
	mine, down, lan, off4 := [6]byte(f[:6]) == r.mac, r.down, r.o.lan, r.six.off4
	r.learn(f)
	r.mu.Unlock()
	if down || !mine && f[0]&1 == 0 {
		return
	}
	if binary.BigEndian.Uint16(f[12:]) == 0x86DD {
		r.fromInside6(f, mine)
		return
	}
	p, ok := parse(f)
	if !mine || !ok || p.dst == lan.Addr() {
		r.inner.SendDown(f)
		return
	}
	if off4 || !p.dst.IsGlobalUnicast() || lan.Contains(p.dst) {
		return // of the link only (RFC 3927, section 2.7), or it needs no router
	}
	r.out4(p)
}

// out4 forwards a packet from inside to the internet, or back inside.
func (r *Router) out4(p packet) {
	if !p.age() {
		if back := p.icmpError(r.LAN().Addr(), 11, 0); back != nil { // time exceeded
			r.deliver(back)
		}
		return
	}
	r.mu.Lock()
	why, hairpin := "", false
	var back []byte
	switch {
	case !r.o.lan.Contains(p.src) && !isSynthetic(p.src):
		why = "a source address that is not of this network"
	case r.cutOff:
		why, back = "no internet", p.icmpError(r.o.lan.Addr(), 3, 0) // network unreachable
	case !r.o.nat.Off:
		hairpin = p.dst == r.wan && r.o.nat.Hairpin
		why, back = r.translateOut(p)
	}
	if why != "" {
		r.dropped[why]++
	}
	r.mu.Unlock()
	f := p.frame
	switch {
	case back != nil:
		r.deliver(back)
	case why != "":
	case hairpin:
		r.fromOutside(slices.Concat(r.outer[:], r.outer[:], f[12:]))
	default:
		copy(f, r.o.nextHop[:])
		copy(f[6:], r.outer[:])
		r.o.outside.SendUp(f)
	}
}

// translateOut changes a packet from inside into one from the router. It says why it cannot; back is an answer to the sender. r.mu is
// held.
func (r *Router) translateOut(p packet) (why string, back []byte) {
	if !p.first {
		at, ok := r.fragments[p.fragment()]
		if !ok {
			return "fragment without its beginning", nil
		}
		p.setSource(r.wan, at.Port())
		return "", nil
	}
	src, dst, ok := p.ports()
	if !ok {
		return r.errorOut(p), nil
	}
	inside, outer := netip.AddrPortFrom(p.src, src), netip.AddrPortFrom(p.dst, dst)
	if p.proto == ICMP {
		outer = netip.AddrPortFrom(p.dst, 0)
	}
	var port uint16
	if fwd, ok := r.forwardOf(p.proto, inside); ok {
		port = fwd.Port
	} else if port, why, back = r.mapOut(p, inside, outer); why != "" {
		return why, back
	}
	if !p.whole {
		r.keep(p.fragment(), netip.AddrPortFrom(r.wan, port))
	}
	p.setSource(r.wan, port)
	return "", nil
}

// mapOut is the outer port for a packet from inside.
func (r *Router) mapOut(p packet, inside, outer netip.AddrPort) (port uint16, why string, back []byte) {
	open := p.proto != TCP || p.flags()&syn != 0 || r.table.nat.Lost == Remapped
	m := r.table.out(p.proto, inside, outer, open)
	switch {
	case m == nil && open:
		return 0, "no mapping is free", nil
	case m == nil && r.table.nat.Lost == WithRST && p.flags()&rst == 0:
		return 0, "a connection that was forgotten", p.reset()
	case m == nil:
		return 0, "a connection that was forgotten", nil
	}
	if p.proto == TCP {
		if p.flags()&(syn|ack) == syn {
			m.answered, m.closing = false, false
		}
		m.closing = m.closing || p.flags()&(fin|rst) != 0
	}
	return m.port, "", nil
}

// fromOutside takes a frame from the internet.
func (r *Router) fromOutside(f []byte) {
	if len(f) < ethernet || !r.up() {
		return
	}
	switch binary.BigEndian.Uint16(f[12:]) {
	case 0x0806:
		if reply := arpReply(f, r.outer, r.WAN()); reply != nil {
			r.o.outside.SendUp(reply)
		}
		return
	case 0x86DD:
		r.fromOutside6(f)
		return
	}
	p, ok := parse(f)
	if !ok || [6]byte(f[:6]) != r.outer {
		return
	}
	r.mu.Lock()
	why := "no internet"
	if !r.cutOff {
		why = r.translateIn(&p)
	}
	if why == "" && !p.age() {
		why = "time to live ran out"
	}
	if why != "" {
		r.dropped[why]++
	}
	r.mu.Unlock()
	if why == "" {
		r.deliver(f)
	}
}

// deliver sends an IPv4 packet into the network, or, when it is for the IPv4 side of a host of IPv6 only, translated. Who has the
// address is asked for when it is not known; the packet is lost then, and its sender tries again.
func (r *Router) deliver(f []byte) {
	p, ok := parse(f)
	if !ok {
		return
	}
	if isSynthetic(p.dst) {
		r.deliver6(p)
		return
	}
	r.mu.Lock()
	mac, known := r.neighbour[p.dst]
	copy(f[6:], r.mac[:])
	if !known {
		r.dropped["nobody in the network is known to have the address"]++
	}
	inside := r.o.lan.Contains(p.dst)
	r.mu.Unlock()
	switch {
	case known:
		copy(f, mac[:])
		r.o.inside.SendUp(f)
	case inside:
		r.o.inside.SendUp(r.whoHas(p.dst))
	}
}

// whoHas is an ARP request of the router (RFC 826).
func (r *Router) whoHas(a netip.Addr) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return arpMessage(1, r.mac, r.o.lan.Addr(), [6]byte{}, a)
}

// translateIn changes a packet to the router into one for who is inside. It says why it cannot. r.mu is held.
func (r *Router) translateIn(p *packet) (why string) {
	if r.o.nat.Off {
		return ""
	}
	if p.dst != r.wan {
		return "another address"
	}
	if !p.first {
		at, ok := r.fragments[p.fragment()]
		if !ok {
			return "fragment without its beginning"
		}
		p.setTarget(at.Addr(), at.Port())
		return ""
	}
	src, dst, ok := p.ports()
	if !ok {
		return r.errorIn(p)
	}
	to, ok := r.mapIn(p, src, dst)
	if !ok {
		return "no mapping"
	}
	if !p.whole {
		r.keep(p.fragment(), to)
	}
	p.setTarget(to.Addr(), to.Port())
	return ""
}

// mapIn is who inside gets a packet to an outer port; r.mu is held.
func (r *Router) mapIn(p *packet, src, dst uint16) (to netip.AddrPort, ok bool) {
	if fwd, ok := r.forwarded[outside{p.proto, dst}]; ok && r.valid(fwd) {
		return fwd.To, true
	}
	from := netip.AddrPortFrom(p.src, src)
	if p.proto == ICMP {
		from = netip.AddrPortFrom(p.src, 0)
	}
	m := r.table.in(p.proto, dst, from)
	if m == nil {
		return to, false
	}
	if p.proto == TCP {
		m.answered = true
		m.closing = m.closing || p.flags()&(fin|rst) != 0
		m.used = r.table.now() // RFC 5382 counts both ways; for UDP only what comes from inside refreshes (RFC 4787, REQ-6)
	}
	return m.inside, true
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

// learn notes who has the address that a frame comes from; r.mu is held.
func (r *Router) learn(f []byte) {
	switch binary.BigEndian.Uint16(f[12:]) {
	case 0x0806:
		if len(f) >= 42 {
			r.neighbours(netip.AddrFrom4([4]byte(f[28:32])), [6]byte(f[22:28]))
		}
	case 0x0800:
		if len(f) >= 34 {
			r.neighbours(netip.AddrFrom4([4]byte(f[26:30])), [6]byte(f[6:12]))
		}
	case 0x86DD:
		if len(f) >= 54 {
			r.neighbours(netip.AddrFrom16([16]byte(f[22:38])), [6]byte(f[6:12]))
		}
	}
}

// neighbours notes who has an address of the network; r.mu is held.
func (r *Router) neighbours(a netip.Addr, mac [6]byte) {
	if a.Is4() && !r.o.lan.Contains(a) || a.Is6() && !r.owns6(a) {
		return
	}
	if _, ok := r.neighbour[a]; !ok && len(r.neighbour) >= maxNeighbours {
		clear(r.neighbour)
	}
	r.neighbour[a] = mac
}

// keep remembers where the later fragments of a packet come from or go to; r.mu is held.
func (r *Router) keep(k fragment, at netip.AddrPort) {
	if len(r.fragments) >= maxFragments {
		clear(r.fragments)
	}
	r.fragments[k] = at
}
