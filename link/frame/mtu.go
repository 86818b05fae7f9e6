package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// MTU limits the size of IP packets. What is larger is split where IPv4 allows it. What may not be split is lost, and its sender is told
// by an ICMP "fragmentation needed" or "packet too big" from the router that teller names, one address for each IP version. Without an
// address nobody is told: a path MTU black hole.
func (l *Link) MTU(which Way, bytes int, teller ...netip.Addr) (undo func()) {
	text := fmt.Sprintf("MTU %d", bytes)
	if len(teller) == 0 {
		text += ", without ICMP"
	}
	m := mtu{bytes: max(bytes, 68)} // RFC 791: every link carries 68 bytes
	for _, a := range teller {
		if a.Is4() {
			m.v4 = a
		} else {
			m.v6 = a
		}
	}
	return l.impair(which, text, func(d *way) func() { return d.mtu.push(m) })
}

type mtu struct {
	bytes  int
	v4, v6 netip.Addr // of the router that tells; invalid: none does
}

// fit is what goes on of a frame, and what goes back to its sender.
func (m mtu) fit(frame []byte) (on, back [][]byte) {
	if len(frame) <= ethernet+m.bytes {
		return [][]byte{frame}, nil
	}
	packet := frame[ethernet:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		header := int(packet[0]&0xf) * 4
		if header < 20 || len(packet) < header {
			return nil, nil
		}
		if packet[6]&0x40 == 0 {
			return fragments(frame, header, m.bytes), nil
		}
		if m.v4.IsValid() {
			back = append(back, fragmentationNeeded(frame, header, m))
		}
	case 0x86DD:
		if m.v6.IsValid() && len(packet) >= 40 {
			back = append(back, packetTooBig(frame, m))
		}
	}
	return nil, back
}

// fragments splits an IPv4 packet (RFC 791, section 3.2).
func fragments(frame []byte, header, bytes int) (out [][]byte) {
	packet := frame[ethernet:]
	body := packet[header:min(int(binary.BigEndian.Uint16(packet[2:])), len(packet))]
	flags := binary.BigEndian.Uint16(packet[6:])
	step := (bytes - header) &^ 7
	for at := 0; at < len(body); at += step {
		piece := body[at:min(at+step, len(body))]
		f := slices.Concat(frame[:ethernet+header], piece)
		ip := f[ethernet:]
		binary.BigEndian.PutUint16(ip[2:], uint16(header+len(piece)))
		more := flags & 0x2000
		if at+step < len(body) {
			more = 0x2000
		}
		binary.BigEndian.PutUint16(ip[6:], more|(flags&0x1fff+uint16(at/8)))
		ChecksumIPv4(ip[:header])
		out = append(out, f)
	}
	return out
}

// answer is the beginning of a frame back to the sender of frame.
func answer(frame []byte) []byte {
	return slices.Concat(frame[6:12], frame[:6], frame[12:14])
}

// fragmentationNeeded is the ICMP message of RFC 1191, section 4.
func fragmentationNeeded(frame []byte, header int, m mtu) []byte {
	packet := frame[ethernet:]
	cited := packet[:min(len(packet), header+8)]
	icmp := slices.Concat([]byte{3, 4, 0, 0, 0, 0, byte(m.bytes >> 8), byte(m.bytes)}, cited)
	binary.BigEndian.PutUint16(icmp[2:], Checksum(icmp, 0))
	ip := []byte{0x45, 0xc0, 0, 0, 0, 0, 0, 0, 64, 1, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], uint16(20+len(icmp)))
	ip = slices.Concat(ip, m.v4.AsSlice(), packet[12:16])
	ChecksumIPv4(ip)
	return slices.Concat(answer(frame), ip, icmp)
}

// packetTooBig is the ICMPv6 message of RFC 4443, section 3.2.
func packetTooBig(frame []byte, m mtu) []byte {
	packet := frame[ethernet:]
	cited := packet[:min(len(packet), 1280-48)]
	icmp := slices.Concat([]byte{2, 0, 0, 0, 0, 0, byte(m.bytes >> 8), byte(m.bytes)}, cited)
	ip := []byte{0x60, 0, 0, 0, byte(len(icmp) >> 8), byte(len(icmp)), 58, 64}
	ip = slices.Concat(ip, m.v6.AsSlice(), packet[8:24])
	ChecksumICMPv6(ip, icmp)
	return slices.Concat(answer(frame), ip, icmp)
}
