package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// packet6 is an IPv6 packet within a frame, as far as a router with a firewall reads it.
type packet6 struct {
	frame    []byte
	src, dst netip.Addr
	proto    Protocol
	body     []byte // from the transport header on
	later    bool   // a fragment after the first: body is not a header
}

// parse6 reads the IPv6 packet of a frame; false when it is none that can be forwarded. Of extension headers it knows the fragment's
// (RFC 8200, section 4.5); others are the protocol.
func parse6(f []byte) (p packet6, ok bool) {
	if len(f) < ethernet+40 || f[ethernet]>>4 != 6 {
		return p, false
	}
	length := int(binary.BigEndian.Uint16(f[18:]))
	if len(f) < ethernet+40+length {
		return p, false
	}
	p = packet6{
		frame: f, proto: Protocol(f[20]), body: f[ethernet+40 : ethernet+40+length],
		src: netip.AddrFrom16([16]byte(f[22:38])), dst: netip.AddrFrom16([16]byte(f[38:54])),
	}
	if p.proto == 44 {
		if length < 8 {
			return p, false
		}
		p.proto, p.later = Protocol(p.body[0]), binary.BigEndian.Uint16(p.body[2:])&^7 != 0
		p.body = p.body[8:]
	}
	return p, p.later || len(p.body) >= map[Protocol]int{TCP: 20, UDP: 8, ICMPv6: 8}[p.proto]
}

// ports are those of TCP and UDP, or twice the identifier of an echo, or 0.
func (p packet6) ports() (src, dst uint16) {
	switch {
	case p.later:
	case p.proto == TCP, p.proto == UDP:
		return binary.BigEndian.Uint16(p.body), binary.BigEndian.Uint16(p.body[2:])
	case p.proto == ICMPv6 && (p.body[0] == echoRequest6 || p.body[0] == echoReply6):
		id := binary.BigEndian.Uint16(p.body[4:])
		return id, id
	}
	return 0, 0
}

// owns6 reports whether an IPv6 address is one of the network; r.mu is held.
func (r *Router) owns6(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || r.six.prefix.IsValid() && r.six.prefix.Contains(a)
}

// fromInside6 takes an IPv6 frame from the network.
func (r *Router) fromInside6(f []byte, mine bool) {
	p, ok := parse6(f)
	if ok && p.proto == ICMPv6 && !p.later && p.body[0] == routerSolicitation {
		r.advertise()
	}
	r.mu.Lock()
	prefix := r.six.prefix
	r.mu.Unlock()
	if !ok || !mine || !p.dst.IsGlobalUnicast() || prefix.IsValid() && prefix.Contains(p.dst) || !prefix.IsValid() {
		r.inner.SendDown(f)
		return
	}
	translated := nat64Prefix.Contains(p.dst)
	r.mu.Lock()
	why := ""
	var back []byte
	switch own := prefix.Addr().Next(); {
	case f[21] < 2:
		why, back = "time to live ran out", p.icmpError(own, 3, 0) // time exceeded
	case translated:
	case !prefix.Contains(p.src):
		why = "a source address that is not of this network"
	case r.cutOff:
		why, back = "no internet", p.icmpError(own, 1, 0) // no route to destination
	default:
		r.remember(p)
	}
	if why != "" {
		r.dropped[why]++
	}
	r.mu.Unlock()
	f[21]--
	switch {
	case back != nil:
		r.send6(back, p.src)
	case why != "":
	case translated:
		r.out64(p)
	default:
		copy(f, r.o.nextHop[:])
		copy(f[6:], r.outer[:])
		r.o.outside.SendUp(f)
	}
}

// icmpError is a message about p to its sender (RFC 4443, section 3), without its Ethernet addresses. It is nil for what none may be sent
// about (section 2.4).
func (p packet6) icmpError(from netip.Addr, kind, code byte) []byte {
	const most = 1280 - 40 - 8 // bytes that are cited: the message fits into the least MTU of IPv6
	if p.later || p.proto == ICMPv6 && p.body[0] < 128 || !p.src.IsGlobalUnicast() {
		return nil
	}
	cited := p.frame[ethernet : ethernet+40+int(binary.BigEndian.Uint16(p.frame[18:]))]
	return frame6([6]byte{}, [6]byte{}, from, p.src, slices.Concat([]byte{kind, code, 0, 0, 0, 0, 0, 0}, cited[:min(len(cited), most)]))
}

// remember notes a conversation from inside; r.mu is held.
func (r *Router) remember(p packet6) {
	if len(r.six.flows) >= maxFlows {
		clear(r.six.flows)
	}
	src, dst := p.ports()
	r.six.flows[flow{p.proto, netip.AddrPortFrom(p.src, src), netip.AddrPortFrom(p.dst, dst)}] = r.o.clock.Passed()
}

// admits reports whether the firewall lets a packet in: one of a conversation that began inside, or an error about one (RFC 6092). r.mu
// is held.
func (r *Router) admits(p packet6) bool {
	if r.six.open || p.later { // without its beginning a fragment is nothing
		return true
	}
	if p.proto == ICMPv6 && p.body[0] < 128 {
		cited, ok := parse6(slices.Concat(p.frame[:ethernet], cited6(p.body[8:])))
		if !ok {
			return false
		}
		src, dst := cited.ports()
		_, ok = r.six.flows[flow{cited.proto, netip.AddrPortFrom(cited.src, src), netip.AddrPortFrom(cited.dst, dst)}]
		return ok
	}
	src, dst := p.ports()
	k := flow{p.proto, netip.AddrPortFrom(p.dst, dst), netip.AddrPortFrom(p.src, src)}
	used, ok := r.six.flows[k]
	n, life := r.o.nat.withDefaults(), time.Minute
	switch p.proto {
	case TCP:
		life = n.TCP
	case UDP:
		life = n.UDP
	}
	if !ok || r.o.clock.Passed()-used > life {
		delete(r.six.flows, k)
		return false
	}
	if p.proto == TCP {
		r.six.flows[k] = r.o.clock.Passed()
	}
	return true
}

// cited6 is what an ICMPv6 error cites, filled up so that it can be read as a packet.
func cited6(cited []byte) []byte {
	if len(cited) < 40 {
		return cited
	}
	c := slices.Clone(cited)
	for len(c) < 60 {
		c = append(c, 0)
	}
	binary.BigEndian.PutUint16(c[4:], uint16(len(c)-40))
	return c
}

// fromOutside6 takes an IPv6 frame from the internet.
func (r *Router) fromOutside6(f []byte) {
	p, ok := parse6(f)
	if !ok || [6]byte(f[:6]) != r.outer || f[21] < 2 {
		return
	}
	f[21]--
	r.mu.Lock()
	switch {
	case r.cutOff:
		r.dropped["no internet"]++
	case !r.six.prefix.IsValid() || !r.six.prefix.Contains(p.dst):
		r.dropped["another address"]++
	case !r.admits(p):
		r.dropped["the firewall"]++
	default:
		r.mu.Unlock()
		r.send6(f, p.dst)
		return
	}
	r.mu.Unlock()
}

// send6 sends an IPv6 packet into the network, or asks who has the address.
func (r *Router) send6(f []byte, to netip.Addr) {
	r.mu.Lock()
	mac, known := r.neighbour[to]
	own := r.mac
	r.mu.Unlock()
	if !known {
		r.o.inside.SendUp(solicit(own, to))
		return
	}
	copy(f, mac[:])
	copy(f[6:], own[:])
	r.o.inside.SendUp(f)
}

// checksum6 is the checksum of a transport over IPv6 (RFC 8200, section 8.1).
func checksum6(src, dst netip.Addr, proto Protocol, body []byte) uint16 {
	pseudo := slices.Concat(src.AsSlice(), dst.AsSlice(), []byte{0, 0, byte(len(body) >> 8), byte(len(body)), 0, 0, 0, byte(proto)})
	return frame.Checksum(body, frame.Sum(pseudo))
}
