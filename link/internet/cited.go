package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/shakedown-test/shakedown/link/frame"
)

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
