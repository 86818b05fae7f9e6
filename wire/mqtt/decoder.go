package mqtt

import (
	"encoding/binary"
	"fmt"
)

// maxFaults bounds what a hostile packet can make DecodeLenient list.
const maxFaults = 64

// decoder walks over one raw packet. After a field that does not fit, and in strict mode after any violation, it is broken: all
// reads give zero values and nothing more is reported.
type decoder struct {
	raw      []byte
	pos, end int // of the unread part
	v        Version
	strict   bool
	padded   bool // the remaining length is longer than needed
	broken   bool
	faults   []*Error
}

// either picks the statement of the version at hand.
func (d *decoder) either(v311, v5 string) string {
	if d.v == V5 {
		return v5
	}
	return v311
}

func (d *decoder) report(e *Error) {
	if d.broken {
		return
	}
	if len(d.faults) < maxFaults {
		d.faults = append(d.faults, e)
	}
	d.broken = d.strict
}

func (d *decoder) fault(offset int, code byte, statement, reason string) {
	d.report(&Error{Offset: offset, Reason: reason, Statement: statement, Code: code})
}

// rest is the number of unread bytes.
func (d *decoder) rest() int {
	if d.broken {
		return 0
	}
	return d.end - d.pos
}

// take returns the next n bytes, or breaks the decoder when there are fewer.
func (d *decoder) take(n int, field string) []byte {
	if n > d.rest() {
		d.fault(d.end, codeMalformed, "section 2.1.4", fmt.Sprintf("%s is cut off", field))
		d.broken, d.pos = true, d.end
		return nil
	}
	b := d.raw[d.pos : d.pos+n : d.pos+n]
	d.pos += n
	return b
}

func (d *decoder) byte(field string) byte {
	if b := d.take(1, field); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint16(field string) uint16 {
	if b := d.take(2, field); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32(field string) uint32 {
	if b := d.take(4, field); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint reads a variable byte integer (MQTT 5.0 section 1.5.5).
func (d *decoder) varint(field string) int {
	if d.broken {
		return 0
	}
	n, size := readVarint(d.raw[d.pos:d.end])
	switch {
	case size == 0 && d.rest() >= 4:
		d.fault(d.pos+3, codeMalformed, "section 1.5.5", field+" takes more than four bytes")
		d.broken, d.pos = true, d.end
		return 0
	case size == 0:
		d.take(d.rest()+1, field)
		return 0
	case size > 1 && d.raw[d.pos+size-1] == 0:
		d.fault(d.pos, codeMalformed, "MQTT-1.5.5-1", field+" takes more bytes than it needs")
	}
	d.pos += size
	return n
}

// data reads a binary field, nil when it is empty. A length past the end is reported at the length.
func (d *decoder) data(field string) []byte {
	at := d.pos
	n := int(d.uint16("length of " + field))
	if n > d.rest() {
		reason := fmt.Sprintf("%s of %d bytes reaches past the end of the packet", field, n)
		d.fault(at, codeMalformed, d.either("section 1.5.3", "section 1.5.4"), reason)
		d.broken, d.pos = true, d.end
	}
	if n == 0 || d.broken {
		return nil
	}
	return d.take(n, field)
}

// text reads a UTF-8 string and returns where its bytes start.
func (d *decoder) text(field string) (s string, at int) {
	b := d.data(field)
	s, at = string(b), d.pos-len(b)
	if e := textFault(s, d.v); e != nil {
		d.report(e.named(field, at))
	}
	return s, at
}

// topic checks the text s of a topic name that starts at offset at.
func (d *decoder) topic(field, s string, at int, wildcard string) {
	if e := topicFault(s, wildcard); e != nil {
		d.report(e.named(field, at))
	}
}

// packetID reads the packet identifier, which is never 0.
func (d *decoder) packetID(p *Packet) {
	at := d.pos
	p.ID = d.uint16("packet identifier")
	if p.ID != 0 {
		return
	}
	statement := d.either("MQTT-2.3.1-1", "MQTT-2.2.1-3")
	switch p.Type {
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		statement = d.either("MQTT-2.3.1-6", "MQTT-2.2.1-5")
	case SUBACK, UNSUBACK:
		statement = d.either("MQTT-2.3.1-7", "MQTT-2.2.1-6")
	}
	d.fault(at, codeProtocolError, statement, p.Type.String()+" has packet identifier 0")
}

// readVarint returns the number at the start of b and its size in bytes, size 0 when it does not end within b or four bytes.
func readVarint(b []byte) (n, size int) {
	for i := range min(len(b), 4) {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n, i + 1
		}
	}
	return 0, 0
}
