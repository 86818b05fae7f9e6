package mqtt

import "encoding/binary"

// maxText is the longest string or binary field in bytes (sections 1.5.3, 1.5.4 and 1.5.6).
const maxText = 65535

// comes out, legal or not. Only what the wire cannot hold is cut: strings and binary fields at 65,535 bytes, QoS of PUBLISH and
// will at two bits. What 3.1.1 does not have (properties, reason codes) is left out there. In 5.0 reason code and properties are
// left out where the standard allows it. Illegal bytes that a Packet cannot say are made with Frame.
func (p *Packet) Append(dst []byte) []byte {
	return appendFrame(dst, byte(p.Type)<<4|p.flags(), p.body())
}

// Bytes encodes p alone; see Append.
func (p *Packet) Bytes() []byte { return p.Append(nil) }

// Frame puts a first byte and a fitting remaining length before body. It checks nothing, so it makes packets that no Packet can say.
func Frame(first byte, body []byte) []byte { return appendFrame(nil, first, body) }

func appendFrame(dst []byte, first byte, body []byte) []byte {
	dst = append(dst, first)
	dst = appendVarint(dst, len(body))
	return append(dst, body...)
}

// flags gives the lower four bits of the first byte (section 2.2.2 of 3.1.1, 2.1.3 of 5.0).
func (p *Packet) flags() byte {
	switch p.Type {
	case PUBLISH:
		return bit(p.Dup, 3) | p.QoS&3<<1 | bit(p.Retain, 0)
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE:
		return 2
	}
	return 0
}

func (p *Packet) version() Version {
	switch {
	case p.Version != 0:
		return p.Version
	case p.Connect != nil && p.Connect.Level == V5:
		return V5
	}
	return V311
}

func (p *Packet) body() []byte {
	v5 := p.version() == V5
	var b []byte
	switch p.Type {
	case CONNECT:
		return p.connectBody(v5)
	case CONNACK:
		b = append(b, bit(p.SessionPresent, 0), p.Code)
		return p.appendProps(b, v5)
	case PUBLISH:
		b = appendText(b, p.Topic)
		if p.QoS > 0 {
			b = binary.BigEndian.AppendUint16(b, p.ID)
		}
		return append(p.appendProps(b, v5), p.Payload...)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		return p.appendReason(binary.BigEndian.AppendUint16(b, p.ID), v5)
	case SUBSCRIBE, UNSUBSCRIBE:
		b = p.appendProps(binary.BigEndian.AppendUint16(b, p.ID), v5)
		return p.appendFilters(b, v5)
	case SUBACK:
		b = p.appendProps(binary.BigEndian.AppendUint16(b, p.ID), v5)
		return append(b, p.Codes...)
	case UNSUBACK:
		b = binary.BigEndian.AppendUint16(b, p.ID)
		if v5 {
			b = append(p.appendProps(b, true), p.Codes...)
		}
		return b
	case DISCONNECT, AUTH:
		return p.appendReason(b, v5)
	}
	return nil
}

// appendReason writes reason code and properties in their shortest form. AUTH has no form with a code but no property length.
func (p *Packet) appendReason(b []byte, v5 bool) []byte {
	if !v5 || p.Code == 0 && len(p.Props) == 0 {
		return b
	}
	b = append(b, p.Code)
	if len(p.Props) == 0 && p.Type != AUTH {
		return b
	}
	return p.appendProps(b, true)
}

func (p *Packet) appendProps(b []byte, v5 bool) []byte {
	if !v5 {
		return b
	}
	return appendProperties(b, p.Props)
}

// appendFilters writes the payload of SUBSCRIBE or UNSUBSCRIBE. QoS goes into the options as it is, so that reserved bits can be set.
func (p *Packet) appendFilters(b []byte, v5 bool) []byte {
	for _, f := range p.Filters {
		b = appendText(b, f.Filter)
		if p.Type == UNSUBSCRIBE {
			continue
		}
		options := f.QoS
		if v5 {
			options |= bit(f.NoLocal, 2) | bit(f.RetainAsPublished, 3) | f.RetainHandling<<4
		}
		b = append(b, options)
	}
	return b
}

// appendText writes a string or binary field: two bytes of length, then the bytes.
func appendText[T string | []byte](dst []byte, s T) []byte {
	s = s[:min(len(s), maxText)]
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// appendVarint writes a variable byte integer (section 1.5.5). Above 268,435,455 it takes more than the four legal bytes.
func appendVarint(dst []byte, n int) []byte {
	return binary.AppendUvarint(dst, uint64(n))
}

func bit(on bool, shift uint) byte {
	if on {
		return 1 << shift
	}
	return 0
}
