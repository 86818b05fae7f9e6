package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/shakedown-test/shakedown/link/frame"
)

// packet is an IPv4 packet within a frame, as far as a NAT reads it.
type packet struct {
	frame    []byte
	ip       []byte // from the IP header to the end of the packet
	header   int    // length of the IP header
	proto    Protocol
	src, dst netip.Addr
	first    bool // the transport header is in it: no later fragment
	whole    bool // no fragment
}

// ethernet is the length of the header of an Ethernet frame.
const ethernet = 14

// parse reads the IPv4 packet of a frame; false when it is none that can be forwarded.
func parse(f []byte) (p packet, ok bool) {
	if len(f) < ethernet+20 || binary.BigEndian.Uint16(f[12:]) != 0x0800 || f[14]>>4 != 4 {
		return p, false
	}
	ip := f[ethernet:]
	p.header = int(ip[0]&0xf) * 4
	length := int(binary.BigEndian.Uint16(ip[2:]))
	if p.header < 20 || length < p.header || length > len(ip) {
		return p, false
	}
	p.frame, p.ip = f, ip[:length]
	p.proto = Protocol(ip[9])
	p.src, p.dst = netip.AddrFrom4([4]byte(ip[12:16])), netip.AddrFrom4([4]byte(ip[16:20]))
	fragment := binary.BigEndian.Uint16(ip[6:])
	p.first, p.whole = fragment&0x1fff == 0, fragment&0x3fff == 0
	if p.first && len(p.body()) < map[Protocol]int{TCP: 20, UDP: 8, ICMP: 8}[p.proto] {
		return p, false
	}
	return p, true
}

func (p packet) body() []byte { return p.ip[p.header:] }

// id is the identification of the packet, by which its fragments belong together.
func (p packet) id() uint16 { return binary.BigEndian.Uint16(p.ip[4:]) }

// ports are those of TCP and UDP, or twice the identifier of an ICMP echo.
func (p packet) ports() (src, dst uint16, ok bool) {
	b := p.body()
	switch p.proto {
	case TCP, UDP:
		return binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), true
	case ICMP:
		if b[0] == 8 || b[0] == 0 {
			id := binary.BigEndian.Uint16(b[4:])
			return id, id, true
		}
	}
	return 0, 0, false
}

// flags are those of TCP.
func (p packet) flags() byte { return p.body()[13] }

// The flags of TCP (RFC 9293, section 3.1).
const (
	fin = 0x01
	syn = 0x02
	rst = 0x04
	ack = 0x10
)

// setSource changes where the packet comes from.
func (p packet) setSource(addr netip.Addr, port uint16) { p.set(12, 0, addr, port) }

// setTarget changes where the packet goes to.
func (p packet) setTarget(addr netip.Addr, port uint16) { p.set(16, 2, addr, port) }

// set changes an address at offset at and, where there is one, a port at offset to in the body. Checksums are mended, not made anew, so
// that a corrupted packet stays one (RFC 1624).
func (p packet) set(at, to int, addr netip.Addr, port uint16) {
	was := [4]byte(p.ip[at : at+4])
	now := addr.As4()
	copy(p.ip[at:], now[:])
	mend(p.ip[10:], was[:], now[:])
	if !p.first {
		return
	}
	b := p.body()
	switch p.proto {
	case TCP, UDP:
		mendTransport(p.proto, b, was[:], now[:])
		mendTransport(p.proto, b, b[to:to+2], []byte{byte(port >> 8), byte(port)})
		binary.BigEndian.PutUint16(b[to:], port)
	case ICMP:
		if b[0] == 8 || b[0] == 0 {
			mend(b[2:], b[4:6], []byte{byte(port >> 8), byte(port)})
			binary.BigEndian.PutUint16(b[4:], port)
		}
	}
}

// mendTransport changes the checksum of TCP or UDP for bytes that changed, as far as body, which may be cut short, has it.
func mendTransport(proto Protocol, body, was, now []byte) {
	field := map[Protocol]int{TCP: 16, UDP: 6}[proto]
	if field == 0 || len(body) < field+2 || proto == UDP && body[6]|body[7] == 0 { // UDP: 0 is no checksum
		return
	}
	mend(body[field:], was, now)
	if proto == UDP && body[6]|body[7] == 0 {
		body[6], body[7] = 0xff, 0xff // RFC 768
	}
}

// mend changes the checksum at the beginning of field for bytes that changed from was to now.
func mend(field, was, now []byte) {
	sum := uint64(^binary.BigEndian.Uint16(field))
	for i := 0; i < len(was); i += 2 {
		sum += uint64(^binary.BigEndian.Uint16(was[i:])) + uint64(binary.BigEndian.Uint16(now[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(field, ^uint16(sum))
}

// age takes one from the time to live; false when it has run out.
func (p packet) age() bool {
	if p.ip[8] < 2 {
		return false
	}
	was := [2]byte(p.ip[8:10])
	p.ip[8]--
	mend(p.ip[10:], was[:], p.ip[8:10])
	return true
}

// sound reports whether the checksum of TCP or UDP is right.
func (p packet) sound() bool {
	n := len(p.body())
	pseudo := slices.Concat(p.ip[12:20], []byte{0, byte(p.proto), byte(n >> 8), byte(n)})
	return frame.Checksum(p.body(), frame.Sum(pseudo)) == 0
}

// isError reports whether p is an ICMP error that a NAT passes on: unreachable, source quench, time exceeded, parameter problem. A
// redirect concerns nobody beyond its own link (RFC 1812, section 5.2.7.2).
func (p packet) isError() bool {
	return p.proto == ICMP && p.first && slices.Contains([]byte{3, 4, 11, 12}, p.body()[0])
}

// icmpError is a message about p to its sender (RFC 792): the IP header and 8 bytes of what follows are cited. It is nil for what none
// may be sent about (RFC 1122, section 3.2.2).
func (p packet) icmpError(from netip.Addr, kind, code byte) []byte {
	if !p.first || p.isError() || !p.src.IsGlobalUnicast() {
		return nil
	}
	cited := p.ip[:min(len(p.ip), p.header+8)]
	icmp := slices.Concat([]byte{kind, code, 0, 0, 0, 0, 0, 0}, cited)
	binary.BigEndian.PutUint16(icmp[2:], frame.Checksum(icmp, 0))
	return envelope(p, from, ICMP, icmp)
}

// reset is a RST for the TCP segment p, as its peer would send it (RFC 9293, section 3.10.7.1).
func (p packet) reset() []byte {
	b := p.body()
	segment := slices.Concat(b[2:4], b[:2], b[8:12], []byte{0, 0, 0, 0, 0x50, rst, 0, 0, 0, 0, 0, 0})
	if p.flags()&ack == 0 {
		length := len(b) - int(b[12]>>4)*4 + int(p.flags()&syn>>1) + int(p.flags()&fin)
		copy(segment[4:], []byte{0, 0, 0, 0})
		binary.BigEndian.PutUint32(segment[8:], binary.BigEndian.Uint32(b[4:])+uint32(length))
		segment[13] |= ack
	}
	f := envelope(p, p.dst, TCP, segment)
	ip := f[ethernet:]
	pseudo := slices.Concat(ip[12:20], []byte{0, 6, 0, 20})
	binary.BigEndian.PutUint16(ip[36:], frame.Checksum(ip[20:40], frame.Sum(pseudo)))
	return f
}

// envelope makes a frame with body back to the sender of p.
func envelope(p packet, from netip.Addr, proto Protocol, body []byte) []byte {
	ip := []byte{0x45, 0, byte((20 + len(body)) >> 8), byte(20 + len(body)), 0, 0, 0, 0, 64, byte(proto), 0, 0}
	ip = slices.Concat(ip, from.AsSlice(), p.src.AsSlice())
	frame.ChecksumIPv4(ip)
	return slices.Concat(p.frame[6:12], p.frame[:6], []byte{0x08, 0x00}, ip, body)
}
