package coap

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// MaxOptions bounds how many options of a message are read; a datagram of 64 KiB could hold as many as it has bytes.
const MaxOptions = 256

// Error is one violation of the standard in a message.
type Error struct {
	Offset  int    // of the offending byte
	Reason  string // what is wrong, such as "token length 9 is reserved"
	Section string // of RFC 7252 or of the RFC that it names
}

// Error gives reason, offset and section in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%s at byte %d [%s]", e.Reason, e.Offset, e.Section)
}

// The sections for which most messages are rejected.
const (
	sectionHeader  = "RFC 7252 section 3"
	sectionOption  = "RFC 7252 section 3.1"
	sectionEmpty   = "RFC 7252 section 4.1"
	sectionRejects = "RFC 7252 section 4.2"
	sectionLength  = "RFC 7252 section 5.4.3"
	sectionRepeats = "RFC 7252 section 5.4.5"
)

// Decode reads one datagram and returns its first format error as an *Error. The message shares the memory of raw.
func Decode(raw []byte) (*Message, error) {
	m, faults := DecodeLenient(raw)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return m, nil
}

// DecodeLenient reads as much of a datagram as can be read and lists its format errors in the order found. The message is nil only
// when the datagram is shorter than a header. It shares the memory of raw.
func DecodeLenient(raw []byte) (*Message, []*Error) {
	if len(raw) < 4 {
		return nil, []*Error{{len(raw), fmt.Sprintf("message of %d bytes has no complete header", len(raw)), sectionHeader}}
	}
	m := &Message{Version: raw[0] >> 6, Type: Type(raw[0] >> 4 & 3), Code: Code(raw[1]), ID: binary.BigEndian.Uint16(raw[2:])}
	var faults []*Error
	fault := func(at int, section, format string, args ...any) {
		faults = append(faults, &Error{at, fmt.Sprintf(format, args...), section})
	}
	if m.Version != 1 {
		fault(0, sectionHeader, "version %d is not 1", m.Version)
	}
	size := int(raw[0] & 15)
	if size > 8 {
		fault(0, sectionHeader, "token length %d is reserved", size)
	}
	switch c := m.Code.Class(); {
	case c == 1 || c == 6 || c == 7:
		fault(1, sectionRejects, "code %s is of a reserved class", m.Code)
	case m.Code == Empty && len(raw) > 4:
		fault(4, sectionEmpty, "empty message has %d bytes after its message id", len(raw)-4)
	}
	if len(raw) < 4+size {
		fault(len(raw), sectionHeader, "token of %d bytes is cut off", size)
		return m, faults
	}
	if size > 0 {
		m.Token = raw[4 : 4+size : 4+size]
	}
	if e := m.rest(raw, 4+size); e != nil {
		faults = append(faults, e)
	}
	return m, faults
}

// rest reads options and payload from pos on.
func (m *Message) rest(raw []byte, pos int) *Error {
	id := 0
	for pos < len(raw) {
		start := pos
		if raw[pos] == 0xff {
			if pos+1 == len(raw) {
				return &Error{pos, "payload marker has no payload after it", sectionHeader}
			}
			m.Payload = raw[pos+1:]
			return nil
		}
		delta, length := int(raw[pos]>>4), int(raw[pos]&15)
		pos++
		if delta == 15 || length == 15 {
			return &Error{start, "option delta or length 15 is reserved", sectionOption}
		}
		for _, n := range []*int{&delta, &length} {
			wide := max(0, *n-12) // 13: one byte more, 14: two
			if pos+wide > len(raw) {
				return &Error{len(raw), "option header is cut off", sectionOption}
			}
			switch wide {
			case 1:
				*n = 13 + int(raw[pos])
			case 2:
				*n = 269 + int(binary.BigEndian.Uint16(raw[pos:]))
			}
			pos += wide
		}
		if id += delta; id > 65535 {
			return &Error{start, fmt.Sprintf("option number %d is above 65535", id), sectionOption}
		}
		if length > len(raw)-pos {
			return &Error{start, fmt.Sprintf("option %s of %d bytes reaches past the end of the message", OptionID(id), length), sectionOption}
		}
		if len(m.Options) == MaxOptions {
			return &Error{start, fmt.Sprintf("more than %d options", MaxOptions), "our limit"}
		}
		m.Options = append(m.Options, Option{OptionID(id), raw[pos : pos+length : pos+length]})
		pos += length
	}
	return nil
}

// Faults lists what is wrong with a message whose format is right. The offsets are those of the first byte. An option with a value of
// a wrong length, and one that stands there once too often, is treated like an unknown one (RFC 7252 sections 5.4.3 and 5.4.5).
func (m *Message) Faults() []*Error {
	var faults []*Error
	fault := func(section, format string, args ...any) {
		faults = append(faults, &Error{0, fmt.Sprintf(format, args...), section})
	}
	switch {
	case m.Type == RST && m.Code != Empty:
		fault(sectionRejects, "reset is not empty")
	case m.Type == ACK && m.Code.Request():
		fault(sectionRejects, "acknowledgement carries a request")
	case m.Type == NON && m.Code == Empty:
		fault("RFC 7252 section 4.3", "non-confirmable message is empty")
	}
	seen := map[OptionID]bool{}
	for _, o := range m.Options {
		r, known := rules[o.ID]
		switch {
		case !known:
		case len(o.Value) < r.min || len(o.Value) > r.max:
			fault(sectionLength, "%s has %d bytes, not %d to %d", r.name, len(o.Value), r.min, r.max)
		case seen[o.ID] && (!r.repeats || o.ID == ETag && m.Code.Response()):
			fault(sectionRepeats, "%s stands there more than once", r.name)
		case r.format == 's' && !utf8.Valid(o.Value):
			fault("RFC 7252 section 3.2", "%s is not UTF-8", r.name)
		case (o.ID == Block1 || o.ID == Block2) && number(o.Value)&7 == 7:
			fault("RFC 7959 section 2.2", "%s has the reserved size 7", r.name)
		}
		seen[o.ID] = true
	}
	return faults
}
