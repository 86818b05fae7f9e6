package mqtt

import "fmt"

// Decode reads raw as one whole packet that travels on a connection of version v (0 means 3.1.1; a CONNECT names its own) and
// returns the first violation of the standard as an *Error. The packet shares the memory of raw.
func Decode(raw []byte, v Version) (*Packet, error) {
	d := &decoder{raw: raw, v: v, strict: true}
	p := d.packet()
	if len(d.faults) > 0 {
		return nil, d.faults[0]
	}
	return p, nil
}

// DecodeLenient reads as much of raw as can be read and lists every violation in the order found, at most 64. After a length that
// reaches past the end of the packet the rest stays unread. The packet is nil only when its type or its length cannot be read or
// the type is reserved. It shares the memory of raw.
func DecodeLenient(raw []byte, v Version) (*Packet, []*Error) {
	d := &decoder{raw: raw, v: v}
	return d.packet(), d.faults
}

// packet decodes the fixed header, dispatches on the type and looks for left-over bytes.
func (d *decoder) packet() *Packet {
	if d.v == 0 {
		d.v = V311
	}
	if len(d.raw) < 2 {
		d.fault(len(d.raw), codeMalformed, "section 2.1", "packet has no complete fixed header")
		return nil
	}
	p := &Packet{Type: Type(d.raw[0] >> 4), Version: d.v}
	if p.Type == 0 || p.Type == AUTH && d.v != V5 {
		d.fault(0, codeMalformed, d.either("section 2.2.1", "section 2.1.2"), fmt.Sprintf("packet type %d is reserved", p.Type))
		return nil
	}
	if !d.remainingLength() {
		return nil
	}
	d.headerFlags(p)
	if p.Type != CONNECT {
		d.minimalLength()
	}
	d.body(p)
	if d.pos < d.end {
		d.fault(d.pos, codeMalformed, "section "+sections[p.Type], fmt.Sprintf("%s has bytes after its last field", p.Type))
	}
	p.Version = d.v
	return p
}

// sections are the sections that lay out the packet types, alike in both versions.
var sections = map[Type]string{
	CONNECT: "3.1", CONNACK: "3.2", PUBLISH: "3.3", PUBACK: "3.4", PUBREC: "3.5", PUBREL: "3.6", PUBCOMP: "3.7", SUBSCRIBE: "3.8",
	SUBACK: "3.9", UNSUBSCRIBE: "3.10", UNSUBACK: "3.11", PINGREQ: "3.12", PINGRESP: "3.13", DISCONNECT: "3.14", AUTH: "3.15",
}

// remainingLength reads the remaining length and compares it with the bytes at hand.
func (d *decoder) remainingLength() bool {
	n, size := readVarint(d.raw[1:])
	if size == 0 {
		if len(d.raw) < 5 {
			d.fault(len(d.raw), codeMalformed, "section 2.1", "packet has no complete fixed header")
			return false
		}
		d.report(longLength(4))
		return false
	}
	d.pos, d.end = 1+size, min(1+size+n, len(d.raw))
	d.padded = size > 1 && d.raw[size] == 0
	switch have := len(d.raw) - d.pos; {
	case have < n:
		d.fault(len(d.raw), codeMalformed, "section 2.1.4", fmt.Sprintf("packet ends after %d of %d bytes", have, n))
	case have > n:
		d.fault(d.end, codeMalformed, "section 2.1.4", "bytes follow the packet")
	}
	return true
}

// minimalLength reports a remaining length in more bytes than it needs, which only 5.0 forbids.
func (d *decoder) minimalLength() {
	if d.padded && d.v == V5 {
		d.fault(1, codeMalformed, "MQTT-1.5.5-1", "remaining length takes more bytes than it needs")
	}
}

// headerFlags checks the lower four bits of the first byte and takes those of PUBLISH.
func (d *decoder) headerFlags(p *Packet) {
	flags := d.raw[0] & 0x0f
	if p.Type == PUBLISH {
		p.Dup, p.QoS, p.Retain = flags&8 != 0, flags>>1&3, flags&1 != 0
		if p.QoS == 3 {
			d.fault(0, codeMalformed, "MQTT-3.3.1-4", "PUBLISH has QoS 3")
		}
		if p.Dup && p.QoS == 0 {
			d.fault(0, codeMalformed, "MQTT-3.3.1-2", "PUBLISH has DUP set with QoS 0")
		}
		return
	}
	want := p.flags()
	if flags == want {
		return
	}
	statement := d.either("MQTT-2.2.2-2", "MQTT-2.1.3-1")
	switch p.Type {
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH:
		statement = "MQTT-" + sections[p.Type] + ".1-1"
	}
	d.fault(0, codeMalformed, statement, fmt.Sprintf("%s has header flags %04b instead of %04b", p.Type, flags, want))
}

// body decodes what follows the fixed header.
func (d *decoder) body(p *Packet) {
	switch p.Type {
	case CONNECT:
		d.connect(p)
	case CONNACK:
		d.connack(p)
	case PUBLISH:
		d.publish(p)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		d.packetID(p)
		d.reason(p)
	case SUBSCRIBE, UNSUBSCRIBE:
		d.packetID(p)
		p.Props = d.properties(p.Type)
		d.filters(p)
	case SUBACK, UNSUBACK:
		d.packetID(p)
		p.Props = d.properties(p.Type)
		d.codes(p)
	case DISCONNECT, AUTH:
		d.reason(p)
	}
}
