package capture

import "encoding/binary"

// maxFlows bounds what is remembered of a part that opens connections without end. What is forgotten is blanked.
const maxFlows = 4096

// flow is one direction of a TCP connection.
type flow struct {
	src, dst         string // addresses
	srcPort, dstPort uint16
}

// stream is what is known of a flow: whether it is a sequence of TLS records. It is followed from its first byte; one byte that does not
// fit makes it plain for ever.
type stream struct {
	next   uint32 // sequence number of the first byte that is not yet looked at
	begun  bool   // a record was seen
	plain  bool
	header [5]byte // of the record that begins
	have   int     // bytes of header
	left   int     // bytes of the record that are still to come
}

// shows reports whether the payload of a TCP segment can be shown.
func (v *veil) shows(to flow, seq uint32, flags byte, payload []byte) bool {
	const syn = 0x02
	if flags&syn != 0 {
		if v.flows == nil || len(v.flows) >= maxFlows {
			v.flows = map[flow]*stream{}
		}
		seq++
		v.flows[to] = &stream{next: seq}
	}
	if len(payload) == 0 || to.srcPort == 53 || to.dstPort == 53 {
		return true
	}
	s := v.flows[to]
	if s == nil {
		return false
	}
	if skip := int32(s.next - seq); skip >= 0 && int(skip) < len(payload) { // what comes before its time is not followed
		s.next += uint32(len(payload) - int(skip))
		s.follow(payload[skip:])
	}
	return s.begun && !s.plain
}

// follow looks at the next bytes of the stream.
func (s *stream) follow(b []byte) {
	for len(b) > 0 && !s.plain {
		if s.left > 0 {
			n := min(s.left, len(b))
			s.left -= n
			b = b[n:]
			continue
		}
		n := copy(s.header[s.have:], b)
		s.have += n
		b = b[n:]
		s.plain = !s.fits()
		s.begun = true
		if s.have == len(s.header) {
			s.left, s.have = int(binary.BigEndian.Uint16(s.header[3:])), 0
		}
	}
}

// fits reports whether what there is of a header is that of a TLS record (RFC 8446, section 5.1).
func (s *stream) fits() bool {
	const changeCipherSpec, alert, handshake, applicationData = 20, 21, 22, 23
	kind := s.header[0]
	if kind < changeCipherSpec || kind > applicationData || !s.begun && kind != handshake && kind != alert {
		return false
	}
	if s.have > 1 && s.header[1] != 3 || s.have > 2 && s.header[2] > 4 {
		return false
	}
	return s.have < 5 || int(binary.BigEndian.Uint16(s.header[3:])) <= 1<<14+2048
}
