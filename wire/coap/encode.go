package coap

import (
	"encoding/binary"
	"slices"
)

// Bytes writes m as it is, legal or not. A token beyond 15 bytes is cut, as its length could not be written.
func (m *Message) Bytes() []byte {
	version := m.Version
	if version == 0 {
		version = 1
	}
	token := m.Token[:min(len(m.Token), 15)]
	b := []byte{version<<6 | byte(m.Type&3)<<4 | byte(len(token)), byte(m.Code)}
	b = binary.BigEndian.AppendUint16(b, m.ID)
	b = append(b, token...)
	options := slices.Clone(m.Options)
	slices.SortStableFunc(options, func(a, b Option) int { return int(a.ID) - int(b.ID) })
	last := OptionID(0)
	for _, o := range options {
		delta, more := nibble(int(o.ID - last))
		length, longer := nibble(len(o.Value))
		b = append(b, delta<<4|length)
		b = append(append(append(b, more...), longer...), o.Value...)
		last = o.ID
	}
	if len(m.Payload) > 0 {
		b = append(append(b, 0xff), m.Payload...)
	}
	return b
}

// nibble is the four bits of an option delta or length, and what follows them.
func nibble(n int) (bits byte, more []byte) {
	switch {
	case n < 13:
		return byte(n), nil
	case n < 269:
		return 13, []byte{byte(n - 13)}
	}
	return 14, binary.BigEndian.AppendUint16(nil, uint16(n-269))
}

// Wrong is one way to spoil a message.
type Wrong struct {
	Name    string // such as "version 0"
	Section string // which makes it wrong
	Ignored bool   // a receiver says nothing at all, whatever the type; otherwise it rejects a CON by RST
	Spoil   func(m *Message) []byte
}

// Illegal lists the ways to spoil a message of which a receiver must reject the whole message.
func Illegal() []Wrong {
	edit := func(f func(b []byte) []byte) func(*Message) []byte {
		return func(m *Message) []byte { return f(m.Bytes()) }
	}
	all := []Wrong{}
	for _, v := range []byte{0, 2, 3} {
		all = append(all, Wrong{"version " + string('0'+rune(v)), sectionHeader, true, edit(func(b []byte) []byte { b[0] = b[0]&0x3f | v<<6; return b })})
	}
	for _, n := range []byte{9, 15} {
		name := map[byte]string{9: "token length 9", 15: "token length 15"}[n]
		all = append(all, Wrong{name, sectionHeader, false, func(m *Message) []byte {
			own := m.Clone()
			own.Token = make([]byte, n)
			return own.Bytes()
		}})
	}
	return append(all,
		Wrong{"payload marker without payload", sectionHeader, false, func(m *Message) []byte {
			own := m.Clone()
			own.Payload = nil
			return append(own.Bytes(), 0xff)
		}},
		Wrong{"option delta 15", sectionOption, false, func(m *Message) []byte { return reserved(m, 0xf0) }},
		Wrong{"option length 15", sectionOption, false, func(m *Message) []byte { return reserved(m, 0x0f) }},
		Wrong{"option past the end", sectionOption, false, func(m *Message) []byte { return append(reserved(m, 0x08), 'x') }},
		Wrong{"code of reserved class 7", sectionRejects, false, edit(func(b []byte) []byte { b[1] = 7 << 5; return b })},
	)
}

// reserved ends a message without payload in an option header.
func reserved(m *Message, header byte) []byte {
	own := m.Clone()
	own.Payload = nil
	return append(own.Bytes(), header)
}
