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

// errorOut translates an ICMP error from inside; r.mu is held.
func (r *Router) errorOut(p packet) (why string) {
	cited, src, dst, why := citedBy(p)
	if why != "" {
		return why
	}
	inside, outer := netip.AddrPortFrom(cited.dst, dst), netip.AddrPortFrom(cited.src, src)
	if cited.proto == ICMP {
		outer = netip.AddrPortFrom(cited.src, 0)
	}
	var port uint16
	if fwd, ok := r.forwardOf(cited.proto, inside); ok {
		port = fwd.Port
	} else if m := r.table.known(cited.proto, inside, outer); m != nil {
		port = m.port
	} else {
		return unknownCited
	}
	recite(p.body(), 16, 2, cited.header, r.wan, port)
	p.setSource(r.wan, 0)
	return ""
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

const unknownCited = "an ICMP error that cites nothing known"

// citedBy is the packet that an ICMP error is about, with its ports. A message whose checksum is wrong cites nothing.
func citedBy(p packet) (cited packet, src, dst uint16, why string) {
	if p.proto != ICMP {
		return cited, 0, 0, "a protocol that NAT does not know"
	}
	b := p.body()
	if !p.isError() || !p.whole || frame.Checksum(b, 0) != 0 {
		return cited, 0, 0, unknownCited
	}
	cited, ok := parse(slices.Concat(p.frame[:ethernet], whole(b[8:])))
	if !ok || !cited.first {
		return cited, 0, 0, unknownCited
	}
	if src, dst, ok = cited.ports(); !ok {
		return cited, 0, 0, unknownCited
	}
	return cited, src, dst, ""
}

// errorIn translates an ICMP error about a packet that was sent from inside; it keeps no mapping alive (RFC 5508, section 4.2). r.mu is
// held.
func (r *Router) errorIn(p *packet) (why string) {
	cited, src, _, why := citedBy(*p)
	if why != "" {
		return why
	}
	if cited.src != r.wan {
		return unknownCited
	}
	at := outside{cited.proto, src}
	var to netip.AddrPort
	if fwd, ok := r.forwarded[at]; ok && r.valid(fwd) {
		to = fwd.To
	} else if m := r.table.alive(r.table.byPort[at]); m != nil {
		to = m.inside
	} else {
		return unknownCited
	}
	recite(p.body(), 12, 0, cited.header, to.Addr(), to.Port())
	p.setTarget(to.Addr(), 0)
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

// recite changes address and port in what an ICMP error cites, as far as it goes, with the checksums there. That of the message is made
// anew.
func recite(icmp []byte, at, to, header int, addr netip.Addr, port uint16) {
	cited := icmp[8:]
	proto := Protocol(cited[9])
	now := addr.As4()
	was := [4]byte(cited[at : at+4])
	copy(cited[at:], now[:])
	mend(cited[10:], was[:], now[:])
	if body := cited[min(header, len(cited)):]; len(body) >= 8 {
		after := []byte{byte(port >> 8), byte(port)}
		if proto == ICMP {
			to = 4
			mend(body[2:], body[4:6], after)
		}
		mendTransport(proto, body, was[:], now[:])
		mendTransport(proto, body, body[to:to+2], after)
		copy(body[to:], after)
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
