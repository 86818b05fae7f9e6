package mqtt

import (
	"encoding/binary"
	"fmt"
)

// kind is the data type of a property (MQTT 5.0 section 2.2.2.2).
type kind byte

const (
	unknown kind = iota
	oneByte
	twoBytes
	fourBytes
	varint
	text
	pair
	binaryData
)

// propertyRule is one row of table 2-4 of MQTT 5.0, with the range that the property's own section sets.
type propertyRule struct {
	name     string
	kind     kind
	in       uint16 // bit 1<<Type for each packet that may carry it, bit 0 for the will
	min, max uint32 // of numbers; max 0 is no limit
	code     byte   // reason code for a number out of range
}

// The packets that share a set of properties. The will counts as packet type 0.
const (
	inWill    = 1 << 0
	inConnect = 1 << CONNECT
	inConnack = 1 << CONNACK
	inPublish = 1 << PUBLISH
	inAcks    = 1<<PUBACK | 1<<PUBREC | 1<<PUBREL | 1<<PUBCOMP | 1<<SUBACK | 1<<UNSUBACK
	inSub     = 1 << SUBSCRIBE
	inUnsub   = 1 << UNSUBSCRIBE
	inDisc    = 1 << DISCONNECT
	inAuth    = 1 << AUTH
	inMessage = inPublish | inWill
	inHello   = inConnect | inConnack
	inAll     = inWill | inHello | inPublish | inAcks | inSub | inUnsub | inDisc | inAuth
)

var propertyRules = map[PropID]propertyRule{
	PayloadFormat:          {name: "payload format indicator", kind: oneByte, in: inMessage, max: 1, code: codeMalformed},
	MessageExpiry:          {name: "message expiry interval", kind: fourBytes, in: inMessage},
	ContentType:            {name: "content type", kind: text, in: inMessage},
	ResponseTopic:          {name: "response topic", kind: text, in: inMessage},
	CorrelationData:        {name: "correlation data", kind: binaryData, in: inMessage},
	SubscriptionIdentifier: {name: "subscription identifier", kind: varint, in: inPublish | inSub, min: 1, code: codeProtocolError},
	SessionExpiry:          {name: "session expiry interval", kind: fourBytes, in: inHello | inDisc},
	AssignedClientID:       {name: "assigned client identifier", kind: text, in: inConnack},
	ServerKeepAlive:        {name: "server keep alive", kind: twoBytes, in: inConnack},
	AuthMethod:             {name: "authentication method", kind: text, in: inHello | inAuth},
	AuthData:               {name: "authentication data", kind: binaryData, in: inHello | inAuth},
	RequestProblemInfo:     {name: "request problem information", kind: oneByte, in: inConnect, max: 1, code: codeProtocolError},
	WillDelay:              {name: "will delay interval", kind: fourBytes, in: inWill},
	RequestResponseInfo:    {name: "request response information", kind: oneByte, in: inConnect, max: 1, code: codeProtocolError},
	ResponseInfo:           {name: "response information", kind: text, in: inConnack},
	ServerReference:        {name: "server reference", kind: text, in: inConnack | inDisc},
	ReasonString:           {name: "reason string", kind: text, in: inConnack | inAcks | inDisc | inAuth},
	ReceiveMaximum:         {name: "receive maximum", kind: twoBytes, in: inHello, min: 1, code: codeProtocolError},
	TopicAliasMaximum:      {name: "topic alias maximum", kind: twoBytes, in: inHello},
	TopicAlias:             {name: "topic alias", kind: twoBytes, in: inPublish, min: 1, code: codeAliasInvalid},
	MaximumQoS:             {name: "maximum QoS", kind: oneByte, in: inConnack, max: 1, code: codeProtocolError},
	RetainAvailable:        {name: "retain available", kind: oneByte, in: inConnack, max: 1, code: codeProtocolError},
	UserProperty:           {name: "user property", kind: pair, in: inAll},
	MaximumPacketSize:      {name: "maximum packet size", kind: fourBytes, in: inHello, min: 1, code: codeProtocolError},
	WildcardAvailable:      {name: "wildcard subscription available", kind: oneByte, in: inConnack, max: 1, code: codeProtocolError},
	SubIDAvailable:         {name: "subscription identifiers available", kind: oneByte, in: inConnack, max: 1, code: codeProtocolError},
	SharedAvailable:        {name: "shared subscription available", kind: oneByte, in: inConnack, max: 1, code: codeProtocolError},
}

// appendProperties writes the property length and the properties in their order. Of a property whose ID the standard does not know,
// Data follows the ID as it is.
func appendProperties(dst []byte, ps Properties) []byte {
	var b []byte
	for _, p := range ps {
		b = appendVarint(b, int(p.ID))
		switch propertyRules[p.ID].kind {
		case oneByte:
			b = append(b, byte(p.Int))
		case twoBytes:
			b = binary.BigEndian.AppendUint16(b, uint16(p.Int))
		case fourBytes:
			b = binary.BigEndian.AppendUint32(b, p.Int)
		case varint:
			b = appendVarint(b, int(p.Int))
		case text:
			b = appendText(b, p.Text)
		case pair:
			b = appendText(appendText(b, p.Text), p.Value)
		case binaryData:
			b = appendText(b, p.Data)
		case unknown:
			b = append(b, p.Data...)
		}
	}
	return append(appendVarint(dst, len(b)), b...)
}

// properties decodes the properties of packet type t, 0 for the will. 3.1.1 has none.
func (d *decoder) properties(t Type) Properties {
	if d.v != V5 {
		return nil
	}
	at := d.pos
	n := d.varint("property length")
	if n > d.rest() {
		reason := fmt.Sprintf("property length %d reaches past the end of the packet", n)
		d.fault(at, codeMalformed, "section 2.2.2.1", reason)
		d.broken, d.pos = true, d.end
	}
	if d.broken {
		return nil
	}
	// The properties are a packet part of their own: no field may reach past them.
	end := d.end
	d.end = d.pos + n
	ps := d.propertyList(t)
	d.broken = d.strict && len(d.faults) > 0 // what breaks within the part does not reach past it
	d.pos, d.end = d.end, end
	return ps
}

// propertyList decodes properties up to the end of their part. Behind an unknown identifier the rest of the part cannot be read.
func (d *decoder) propertyList(t Type) Properties {
	var ps Properties
	var seen uint64 // bit per identifier, all of which are below 64
	for d.rest() > 0 {
		at := d.pos
		id := d.varint("property identifier")
		rule, known := propertyRules[PropID(id)]
		if id > 0xff || !known {
			d.fault(at, codeMalformed, "section 2.2.2.2", fmt.Sprintf("property identifier 0x%02X is unknown", id))
			return ps
		}
		if rule.in&(1<<t) == 0 {
			d.fault(at, codeMalformed, "section 2.2.2.2", fmt.Sprintf("%s is not allowed in %s", rule.name, carrier(t)))
		}
		repeats := id == int(UserProperty) || id == int(SubscriptionIdentifier) && t == PUBLISH
		if seen&(1<<id) != 0 && !repeats {
			d.fault(at, codeProtocolError, "section 2.2.2.2", rule.name+" stands more than once")
		}
		seen |= 1 << id
		p := d.property(PropID(id), rule)
		if !d.broken {
			ps = append(ps, p)
		}
	}
	return ps
}

// property decodes the value of one property and checks its range.
func (d *decoder) property(id PropID, rule propertyRule) Property {
	p := Property{ID: id}
	at := d.pos
	switch rule.kind {
	case oneByte:
		p.Int = uint32(d.byte(rule.name))
	case twoBytes:
		p.Int = uint32(d.uint16(rule.name))
	case fourBytes:
		p.Int = d.uint32(rule.name)
	case varint:
		p.Int = uint32(d.varint(rule.name))
	case text:
		p.Text, at = d.text(rule.name)
	case pair:
		p.Text, _ = d.text("name of " + rule.name)
		p.Value, _ = d.text("value of " + rule.name)
	case binaryData:
		p.Data = d.data(rule.name)
	}
	if p.Int < rule.min || rule.max > 0 && p.Int > rule.max {
		statement := "section 2.2.2.2"
		if id == TopicAlias {
			statement = "MQTT-3.3.2-8"
		}
		d.fault(at, rule.code, statement, fmt.Sprintf("%s %d is out of range", rule.name, p.Int))
	}
	if id == ResponseTopic {
		d.topic(rule.name, p.Text, at, "MQTT-3.3.2-14")
	}
	return p
}

// carrier names what carries the properties of type t.
func carrier(t Type) string {
	if t == 0 {
		return "a will"
	}
	return t.String()
}
