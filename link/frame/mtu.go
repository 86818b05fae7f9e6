package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// MTU limits the size of IP packets. What is larger is split where IPv4 allows it. What may not be split is lost, and its sender is told
// by an ICMP "fragmentation needed" or "packet too big" from the router that teller names, one address for each IP version. Without an
// address nobody is told: a path MTU black hole. The limit is at least 68 bytes for IPv4 (RFC 791) and 1280 for IPv6 (RFC 8200, section
// 5), which every link carries.
func (l *Link) MTU(which Way, bytes int, teller ...netip.Addr) (undo func()) {
	text := fmt.Sprintf("MTU %d", bytes)
	if len(teller) == 0 {
		text += ", without ICMP"
	}
	m := mtu{v4: max(bytes, 68), v6: max(bytes, 1280)}
	for _, a := range teller {
		if a.Is4() {
			m.teller4 = a
		} else {
			m.teller6 = a
		}
	}
	return l.impair(which, text, func(d *way) func() { return d.mtu.push(m) })
}

type mtu struct {
	v4, v6           int        // bytes
	teller4, teller6 netip.Addr // invalid: none tells
}

// The kinds of packets in an Ethernet frame.
const (
	kindIPv4 = 0x0800
	kindIPv6 = 0x86DD
)

// fits reports whether a frame may pass as it is. What is no IP may.
func (m *mtu) fits(frame []byte) bool {
	if len(frame) <= ethernet+m.v4 {
		return true
	}
	packet := frame[ethernet:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case kindIPv4:
		return int(binary.BigEndian.Uint16(packet[2:])) <= m.v4
	case kindIPv6:
		return len(packet) < 40 || 40+int(binary.BigEndian.Uint16(packet[4:])) <= m.v6
	}
	return true
}

// split is what goes on of a frame that does not fit, and what goes back to its sender.
func (m *mtu) split(frame []byte) (on, back [][]byte) {
	packet := frame[ethernet:]
	if binary.BigEndian.Uint16(frame[12:]) == kindIPv6 {
		if m.teller6.IsValid() && mayTell6(packet) {
			back = append(back, packetTooBig(frame, m))
		}
		return nil, back
	}
	header, length := int(packet[0]&0xf)*4, int(binary.BigEndian.Uint16(packet[2:]))
	if header < 20 || length < header || len(packet) < length {
		return nil, nil
	}
	if dontFragment := packet[6]&0x40 != 0; !dontFragment {
		return fragments(frame, header, length, m.v4), nil
	}
	if m.teller4.IsValid() && frame[0]&1 == 0 && mayTell4(packet, header) {
		back = append(back, fragmentationNeeded(frame, m))
	}
	return nil, back
}

// fragments splits an IPv4 packet (RFC 791, section 3.2).
func fragments(frame []byte, header, length, bytes int) (out [][]byte) {
	packet := frame[ethernet:]
	body := packet[header:length]
	flags := binary.BigEndian.Uint16(packet[6:])
	const moreFragments, offset = 0x2000, 0x1fff
	step := (bytes - header) &^ 7
	for at := 0; at < len(body); at += step {
		piece := body[at:min(at+step, len(body))]
		f := slices.Concat(frame[:ethernet+header], piece)
		ip := f[ethernet:]
		if at > 0 {
			firstOnly(ip[20:header])
		}
		binary.BigEndian.PutUint16(ip[2:], uint16(header+len(piece)))
		more := flags & moreFragments
		if at+step < len(body) {
			more = moreFragments
		}
		binary.BigEndian.PutUint16(ip[6:], more|(flags&offset+uint16(at/8)))
		ChecksumIPv4(ip[:header])
		out = append(out, f)
	}
	return out
}

// firstOnly blanks the IPv4 options that only the first fragment has: those without the copied flag.
func firstOnly(options []byte) {
	const end, nothing, copied = 0, 1, 0x80
	for len(options) > 0 && options[0] != end {
		length := 1
		if options[0] != nothing {
			if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
				return
			}
			length = int(options[1])
		}
		if options[0]&copied == 0 {
			for i := range length {
				options[i] = nothing
			}
		}
		options = options[length:]
	}
}

// mayTell4 reports whether an ICMP error may be sent about a packet (RFC 1122, section 3.2.2): none about an ICMP error, a later
// fragment, a packet to several or one from nobody in particular.
func mayTell4(packet []byte, header int) bool {
	source, target := netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
	later := binary.BigEndian.Uint16(packet[6:])&0x1fff != 0
	if later || !single(source) || target.IsMulticast() || target == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	const icmp = 1
	if packet[9] != icmp {
		return true
	}
	if len(packet) <= header {
		return false
	}
	switch packet[header] {
	case 3, 4, 5, 11, 12:
		return false
	}
	return true
}

// mayTell6 is mayTell4 for IPv6 (RFC 4443, section 2.4). A packet to several is told about, as path MTU discovery needs it.
func mayTell6(packet []byte) bool {
	const icmp, hopByHop, routing, fragment, options = 58, 0, 43, 44, 60
	if !single(netip.AddrFrom16([16]byte(packet[8:24]))) {
		return false
	}
	next, at := packet[6], 40
	for range 8 {
		switch next {
		case icmp:
			return at < len(packet) && packet[at] >= 128 // those below are errors
		case hopByHop, routing, options, fragment:
			if at+8 > len(packet) {
				return false
			}
			length := 8
			if next != fragment {
				length += int(packet[at+1]) * 8
			}
			next, at = packet[at], at+length
		default:
			return true
		}
	}
	return false
}

// single reports whether an address is that of one station.
func single(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && !(a.Is4() && a.As4()[0] >= 240)
}

// answer is the beginning of a frame back to the sender of frame.
func answer(frame []byte) []byte {
	return slices.Concat(frame[6:12], frame[:6], frame[12:14])
}

// fragmentationNeeded is the ICMP message of RFC 1191, section 4. It cites as much of the packet as RFC 1812 asks for: the message has at
// most 576 bytes.
func fragmentationNeeded(frame []byte, m *mtu) []byte {
	packet := frame[ethernet:]
	cited := packet[:min(len(packet), 576-20-8)]
	icmp := slices.Concat([]byte{3, 4, 0, 0, 0, 0, byte(m.v4 >> 8), byte(m.v4)}, cited)
	binary.BigEndian.PutUint16(icmp[2:], Checksum(icmp, 0))
	ip := []byte{0x45, 0xc0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], uint16(20+len(icmp)))
	ip = slices.Concat(ip, m.teller4.AsSlice(), packet[12:16])
	ChecksumIPv4(ip)
	return slices.Concat(answer(frame), ip, icmp)
}

// packetTooBig is the ICMPv6 message of RFC 4443, section 3.2, of at most 1280 bytes.
func packetTooBig(frame []byte, m *mtu) []byte {
	packet := frame[ethernet:]
	cited := packet[:min(len(packet), 1280-48)]
	icmp := slices.Concat([]byte{2, 0, 0, 0, 0, 0, byte(m.v6 >> 8), byte(m.v6)}, cited)
	ip := []byte{0x60, 0, 0, 0, byte(len(icmp) >> 8), byte(len(icmp)), 58, 64}
	ip = slices.Concat(ip, m.teller6.AsSlice(), packet[8:24])
	ChecksumICMPv6(ip, icmp)
	return slices.Concat(answer(frame), ip, icmp)
}
