package frame

import (
	"encoding/binary"
	"slices"
)

// ChecksumIPv4 fills in the checksum of an IPv4 header (RFC 791, section 3.1).
func ChecksumIPv4(header []byte) {
	header[10], header[11] = 0, 0
	binary.BigEndian.PutUint16(header[10:], Checksum(header, 0))
}

// ChecksumICMPv6 fills in the checksum of an ICMPv6 message behind an IPv6 header of 40 bytes (RFC 4443, section 2.3).
func ChecksumICMPv6(header, icmp []byte) {
	n := len(icmp)
	pseudo := slices.Concat(header[8:40], []byte{0, 0, byte(n >> 8), byte(n), 0, 0, 0, 58})
	icmp[2], icmp[3] = 0, 0
	binary.BigEndian.PutUint16(icmp[2:], Checksum(icmp, Sum(pseudo)))
}

// Checksum is the Internet checksum of b on top of a Sum (RFC 1071).
func Checksum(b []byte, start uint32) uint16 {
	s := uint64(start) + uint64(Sum(b))
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// Sum adds up b in 16-bit words, of at most 64 KiB.
func Sum(b []byte) (s uint32) {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}
