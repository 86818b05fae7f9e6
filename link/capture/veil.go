package capture

import (
	"encoding/binary"
	"slices"
)

// veil blanks in frames what may be secret. The zero value is ready.
type veil struct {
	flows map[flow]*stream
}

const ethernet = 14

// Kinds of Ethernet frames and of IP packets.
const (
	kindARP  = 0x0806
	kindIPv4 = 0x0800
	kindIPv6 = 0x86DD

	protoHopByHop = 0
	protoICMP     = 1
	protoIGMP     = 2
	protoTCP      = 6
	protoUDP      = 17
	protoRouting  = 43
	protoFragment = 44
	protoICMPv6   = 58
	protoOptions  = 60
)

// open are the UDP ports of protocols that carry no secrets: DNS, DHCP, NTP, DHCPv6, SSDP, mDNS.
var open = []uint16{53, 67, 68, 123, 546, 547, 1900, 5353}

// over is a frame with zeros where it may be secret. It does not change f; it may be f.
func (v *veil) over(f []byte) []byte {
	from := v.secret(f)
	if from >= len(f) {
		return f
	}
	blanked := make([]byte, len(f))
	copy(blanked, f[:from])
	return blanked
}

// secret is from where on a frame may be secret; its length when nothing of it is.
func (v *veil) secret(f []byte) int {
	if len(f) < ethernet {
		return len(f)
	}
	switch binary.BigEndian.Uint16(f[12:]) {
	case kindARP:
		return len(f)
	case kindIPv4:
		return v.secret4(f)
	case kindIPv6:
		return v.secret6(f)
	}
	return ethernet
}

func (v *veil) secret4(f []byte) int {
	ip := f[ethernet:]
	if len(ip) < 20 {
		return ethernet
	}
	header, length := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	if header < 20 || length < header || len(ip) < length {
		return ethernet
	}
	if later := binary.BigEndian.Uint16(ip[6:])&0x1fff != 0; later {
		return ethernet + header
	}
	return v.transport(f, ip[9], string(ip[12:16]), string(ip[16:20]), ethernet+header, ethernet+length)
}

func (v *veil) secret6(f []byte) int {
	ip := f[ethernet:]
	if len(ip) < 40 {
		return ethernet
	}
	end := ethernet + 40 + int(binary.BigEndian.Uint16(ip[4:]))
	if end > len(f) {
		return ethernet
	}
	proto, at := ip[6], ethernet+40
	for at+8 <= end {
		switch proto {
		case protoHopByHop, protoRouting, protoOptions:
			proto, at = f[at], at+8+int(f[at+1])*8
		case protoFragment:
			if binary.BigEndian.Uint16(f[at+2:])&0xfff8 != 0 {
				return at + 8
			}
			proto, at = f[at], at+8
		default:
			return v.transport(f, proto, string(ip[8:24]), string(ip[24:40]), at, end)
		}
	}
	return min(at, len(f))
}

// transport is secret for a packet whose transport header begins at at.
func (v *veil) transport(f []byte, proto byte, src, dst string, at, end int) int {
	b := f[at:end]
	switch {
	case proto == protoIGMP:
		return len(f)
	case proto == protoUDP && len(b) >= 8:
		if slices.Contains(open, binary.BigEndian.Uint16(b)) || slices.Contains(open, binary.BigEndian.Uint16(b[2:])) || isDTLS(b[8:]) {
			return len(f)
		}
		return at + 8
	case proto == protoTCP && len(b) >= 20:
		payload := int(b[12]>>4) * 4
		if payload < 20 || payload > len(b) {
			return at + 20
		}
		to := flow{src, dst, binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])}
		if v.shows(to, binary.BigEndian.Uint32(b[4:]), b[13], b[payload:]) {
			return len(f)
		}
		return at + payload
	case (proto == protoICMP || proto == protoICMPv6) && len(b) >= 8:
		return min(at+cited(proto, b), len(f))
	}
	return at
}

// cited is up to where an ICMP message may be shown: an error cites the packet that it is about.
func cited(proto byte, b []byte) int {
	switch {
	case proto == protoICMPv6 && b[0] < 128:
		return 8 + 40 + 8
	case proto == protoICMP && slices.Contains([]byte{3, 4, 5, 11, 12}, b[0]):
		header := 20
		if len(b) > 8 {
			header = int(b[8]&15) * 4
		}
		return 8 + header + 8
	}
	return 1 << 16
}

// isDTLS reports whether a datagram is nothing but DTLS records (RFC 6347, section 4.1). Encrypted records of DTLS 1.3 and those with
// a connection identifier have another form, and are blanked.
func isDTLS(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	for len(b) > 0 {
		if len(b) < 13 || b[0] < 20 || b[0] > 24 || b[1] != 0xfe || b[2] < 0xfc {
			return false
		}
		length := 13 + int(binary.BigEndian.Uint16(b[11:]))
		if length > len(b) {
			return false
		}
		b = b[length:]
	}
	return true
}
