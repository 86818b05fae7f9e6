package protocol

import (
	"encoding/binary"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// shot is one malformed packet from a client, of one of sixteen families.
type shot struct {
	family    string
	what      string
	raw       []byte
	tolerable bool // the standard lets a server ignore it
	stalls    bool // it announces more bytes than follow
	harmless  bool // one bit is wrong that is not handed on: a delivery does no harm
}

// badPayload is what a malformed PUBLISH carries, so that a delivery is recognised.
const badPayload = "malformed"

// shots are the malformed packets for the version of a room.
func shots(room testbed.Room) []shot {
	v5 := room.Version == mqtt.V5
	topic := room.Topic("malformed")
	publish := func(first byte, topic string) []byte { return mqtt.Frame(first, body(v5, topic, first>>1&3 > 0, 7)) }
	all := []shot{
		{family: "qos3", what: "a PUBLISH with QoS 3", raw: publish(0x36, topic)},
		{family: "topic-wildcard", what: "a PUBLISH to a topic with +", raw: publish(0x30, topic+"/+")},
		{family: "topic-wildcard", what: "a PUBLISH to a topic with #", raw: publish(0x30, topic+"/#")},
		{family: "topic-empty", what: "a PUBLISH with an empty topic", raw: publish(0x30, "")},
		{family: "topic-bad-utf8", what: "a PUBLISH to a topic that is not UTF-8", raw: publish(0x30, topic+"/\xc3\x28")},
		{family: "topic-bad-utf8", what: "a PUBLISH to a topic with a surrogate", raw: publish(0x30, topic+"/\xed\xa0\x80")},
		{family: "topic-nul", what: "a PUBLISH to a topic with U+0000", raw: publish(0x30, topic+"/\x00"), tolerable: true},
		{family: "pid-zero", what: "a PUBLISH with packet id 0", raw: mqtt.Frame(0x32, body(v5, topic, true, 0))},
		{family: "dup-qos0", what: "a PUBLISH with DUP and QoS 0", raw: publish(0x38, topic), harmless: true},
		{family: "reserved-type", what: "a packet of type 0", raw: mqtt.Frame(0x00, nil)},
		{family: "reserved-flags", what: "a SUBSCRIBE with flags 0", raw: mqtt.Frame(0x80, (&mqtt.Packet{
			Type: mqtt.SUBSCRIBE, Version: room.Version, ID: 8, Filters: []mqtt.Subscription{{Filter: topic}},
		}).Bytes()[2:])},
		{family: "reserved-flags", what: "a PUBREL with flags 0", raw: mqtt.Frame(0x60, []byte{0, 9})},
		{family: "reserved-flags", what: "a PINGREQ with flags 1", raw: mqtt.Frame(0xC1, nil)},
		{family: "length-mismatch", what: "a PINGREQ with a body", raw: mqtt.Frame(0xC0, []byte("body"))},
		{family: "length-mismatch", what: "a PUBLISH whose topic is longer than the packet", raw: mqtt.Frame(0x30, []byte("\x00\xffshort"))},
		{family: "varint-5", what: "a remaining length of five bytes", raw: []byte{0x30, 0xff, 0xff, 0xff, 0xff, 0x01}},
		{family: "second-connect", what: "a second CONNECT of protocol MQIsdp", raw: mqtt.Frame(0x10, []byte("\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01x"))},
		{family: "wrong-direction", what: "a CONNACK from a client", raw: (&mqtt.Packet{Type: mqtt.CONNACK, Version: room.Version}).Bytes()},
		{family: "wrong-direction", what: "a SUBACK from a client", raw: (&mqtt.Packet{Type: mqtt.SUBACK, Version: room.Version, ID: 10, Codes: []byte{0}}).Bytes()},
		{family: "wrong-direction", what: "a PINGRESP from a client", raw: mqtt.Frame(0xD0, nil)},
		{family: "unknown-ack", what: "a PUBACK for an unknown id", raw: mqtt.Frame(0x40, []byte{0x10, 0x92}), tolerable: true},
		{family: "unknown-ack", what: "a PUBREL for an unknown id", raw: mqtt.Frame(0x62, []byte{0x10, 0x92}), tolerable: true},
		{family: "stall", what: "a PUBLISH of 60,000 bytes that do not follow", raw: append([]byte{0x30, 0xE0, 0xD4, 0x03}, body(v5, topic, false, 0)...), stalls: true},
		{family: "stall", what: "a PUBLISH of 200 MiB whose bytes do not follow", raw: append([]byte{0x30, 0x80, 0x80, 0x80, 0x64}, body(v5, topic, false, 0)...), stalls: true},
	}
	if !v5 {
		return append(all, shot{family: "reserved-type", what: "a packet of type 15", raw: mqtt.Frame(0xF0, nil)})
	}
	twice := (&mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V5, Topic: topic, Payload: []byte(badPayload), Props: mqtt.Properties{
		{ID: mqtt.MessageExpiry, Int: 60}, {ID: mqtt.MessageExpiry, Int: 60},
	}}).Bytes()
	unknown := (&mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V5, Topic: topic, Payload: []byte(badPayload), Props: mqtt.Properties{
		{ID: 0x7F, Data: []byte{1}},
	}}).Bytes()
	return append(all,
		shot{family: "reserved-type", what: "an unsolicited AUTH", raw: mqtt.Frame(0xF0, []byte{0x18, 0x00})},
		shot{family: "v5-dup-property", what: "a PUBLISH with a property twice", raw: twice},
		shot{family: "v5-dup-property", what: "a PUBLISH with an unknown property", raw: unknown},
		shot{family: "v5-dup-property", what: "a PUBACK with an unknown reason code", raw: mqtt.Frame(0x40, []byte{0x10, 0x92, 0xFE})},
	)
}

// body is that of a PUBLISH.
func body(v5 bool, topic string, hasID bool, id uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(topic)))
	b = append(b, topic...)
	if hasID {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	if v5 {
		b = append(b, 0)
	}
	return append(b, badPayload...)
}
