package mqtt

import "encoding/binary"

// maxDump is how many bytes of a raw packet go into a hex dump.
const maxDump = 64

// Redacted returns a copy of at most 64 bytes of a raw packet for a hex dump in evidence. Of CONNECT only the header up to keep
// alive is left, of AUTH up to the reason code, since user name, password and authentication data follow.
func Redacted(raw []byte) []byte {
	keep := min(len(raw), maxDump)
	if len(raw) > 0 {
		switch Type(raw[0] >> 4) {
		case CONNECT:
			keep = min(keep, openConnect(raw))
		case AUTH:
			_, size := readVarint(raw[1:])
			keep = min(keep, 2+size)
		}
	}
	return append([]byte(nil), raw[:keep]...)
}

// openConnect is how many bytes of a CONNECT hold nothing secret. A protocol name longer than any known is not shown, for its
// length may be a mistake and the name reach into the password.
func openConnect(raw []byte) int {
	const longestName = len("MQIsdp")
	_, size := readVarint(raw[1:])
	if size == 0 {
		return 1
	}
	name := raw[1+size:]
	if len(name) < 2 {
		return 1 + size
	}
	n := int(binary.BigEndian.Uint16(name))
	if n > longestName {
		return 1 + size + 2
	}
	const levelFlagsKeepAlive = 4
	return 1 + size + 2 + n + levelFlagsKeepAlive
}
