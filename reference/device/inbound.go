package device

import (
	"errors"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/wire/ws"
)

// batch is how many packets are handled before what they changed is stored and answered.
const batch = 32

// MQTT 5.0 reason codes that the device uses.
const (
	codeProtocolError  = 0x82
	codeUnknownID      = 0x92
	codeTooManyInbound = 0x93
	codeAliasInvalid   = 0x94
)

// receive handles first and what else is there already.
func (d *Device) receive(first inbound) {
	d.handle(first)
	for range batch - 1 {
		if d.link == nil || d.wedged || d.fate != nil {
			return
		}
		select {
		case in := <-d.link.in:
			d.handle(in)
		default:
			return
		}
	}
}

// handle takes one raw packet, or the end of the connection.
func (d *Device) handle(in inbound) {
	var bad *mqtt.Error
	if in.err != nil && !errors.As(in.err, &bad) {
		if len(in.raw) > 0 && d.garbageFlawed() {
			return
		}
		d.end(describeEnd(in.err), closeCause(in.err), 0)
		if d.has("ws-close-hammer") && errors.As(in.err, new(*ws.CloseError)) {
			d.retryAt = d.up
		}
		return
	}
	l := d.link
	l.heardAt, l.pinged = d.up, 0
	if bad != nil {
		d.malformed(in.raw, bad)
		return
	}
	version := l.version
	if !l.serving && len(in.raw) == 4 && in.raw[0] == byte(mqtt.CONNACK)<<4 {
		version = mqtt.V311 // a server that does not know 5.0 answers in its own words
	}
	p, err := mqtt.Decode(in.raw, version)
	switch {
	case errors.As(err, &bad):
		d.malformed(in.raw, bad)
	case l.serving:
		d.dispatch(p)
	case p.Type == mqtt.CONNACK:
		d.greeted(p)
	default:
		d.end(p.Type.String()+" before CONNACK", dropped, 0)
	}
}

// dispatch handles a packet of a connection that serves.
func (d *Device) dispatch(p *mqtt.Packet) {
	switch p.Type {
	case mqtt.PUBLISH:
		d.published(p)
	case mqtt.PUBACK:
		d.acknowledged(p)
	case mqtt.PUBREC:
		d.unknownAck(p)
	case mqtt.PUBREL:
		d.released(p)
	case mqtt.SUBACK:
		d.subscribed(p)
	case mqtt.PUBCOMP, mqtt.UNSUBACK, mqtt.PINGRESP: // of nothing that it asked for, or all that there was to say
	case mqtt.DISCONNECT:
		if p.Version != mqtt.V5 {
			d.protocolError(p)
			return
		}
		d.disconnected(p)
	default:
		d.protocolError(p)
	}
}

// published handles PUBLISH: an acknowledgement is queued after the message was handled.
func (d *Device) published(p *mqtt.Packet) {
	if !d.resolveAlias(p) {
		return
	}
	switch p.QoS {
	case 0:
		d.deliver(p)
	case 1:
		if d.repeatedFlawed(p) {
			return
		}
		d.deliver(p)
		if !d.has("puback-not-sent") {
			d.link.queue(&mqtt.Packet{Type: mqtt.PUBACK, ID: p.ID})
		}
	default:
		d.publishedOnce(p)
	}
}

// publishedOnce handles PUBLISH with QoS 2: the first one with an id is delivered, until PUBREL [MQTT-4.3.3-10 v5].
func (d *Device) publishedOnce(p *mqtt.Packet) {
	s := &d.set.Session
	limit := receiveMaximum
	if d.link.version != mqtt.V5 {
		limit = eventBuffer
	}
	if fresh := s.received(p.ID); fresh || d.has("qos2-delivered-twice") {
		if len(s.Received) > limit {
			s.released(p.ID)
			d.end("too many QoS 2 messages in flight", dropped, codeTooManyInbound)
			return
		}
		d.deliver(p)
	}
	d.dirty = true
	d.link.queue(&mqtt.Packet{Type: mqtt.PUBREC, ID: p.ID})
}

// released handles PUBREL. Also an unknown id is answered, or the server would ask for ever [MQTT-4.3.3-11 v5].
func (d *Device) released(p *mqtt.Packet) {
	answer := &mqtt.Packet{Type: mqtt.PUBCOMP, ID: p.ID}
	if !d.set.Session.released(p.ID) {
		answer.Code = codeUnknownID
		if d.unknownFlawed() {
			return
		}
	}
	d.dirty = true
	if !d.has("qos2-pubcomp-missing") {
		d.link.queue(answer)
	}
}

// unknownAck handles an acknowledgement that belongs to nothing in flight: it is passed over, but a PUBREC of 5.0 gets the answer that
// ends the exchange (section 4.3.3).
func (d *Device) unknownAck(p *mqtt.Packet) {
	if d.unknownFlawed() {
		return
	}
	if p.Type == mqtt.PUBREC && p.Version == mqtt.V5 && p.Code < 0x80 {
		d.link.queue(&mqtt.Packet{Type: mqtt.PUBREL, ID: p.ID, Code: codeUnknownID})
	}
}

// resolveAlias gives p the topic that its alias stands for (section 3.3.2.3.4 of 5.0), or ends the connection.
func (d *Device) resolveAlias(p *mqtt.Packet) bool {
	if !p.Props.Has(mqtt.TopicAlias) {
		return true
	}
	if d.has("alias-ignored") {
		return p.Topic != ""
	}
	alias := uint16(p.Props.Int(mqtt.TopicAlias, 0))
	if alias == 0 || alias > aliasMaximum && !d.has("alias-limit-ignored") {
		d.end("topic alias out of range", dropped, codeAliasInvalid)
		return false
	}
	if p.Topic != "" {
		d.link.aliases[alias] = p.Topic
		return true
	}
	p.Topic = d.link.aliases[alias]
	if p.Topic == "" {
		d.end("topic alias was never set", dropped, codeProtocolError)
		return false
	}
	return true
}

// deliver gives a message to the application.
func (d *Device) deliver(p *mqtt.Packet) {
	if d.deliverFlawed(p) {
		return
	}
	if len(p.Payload) > maxPayload {
		d.con.say("rejected : payload of %d bytes", len(p.Payload))
		d.report(map[string]any{"rejected": "", "why": "payload is larger than 64 KiB"})
		return
	}
	switch p.Topic {
	case d.cfg.topic("command"):
		d.onCommand(p)
	case d.cfg.topic("config"):
		d.onConfig(p)
	default:
		if d.has("subscribe-everything") && mqtt.Match("thermostat/+/command", p.Topic) {
			d.onCommand(p)
			return
		}
		d.con.say("message passed over, topic of %d bytes", len(p.Topic))
	}
}

// disconnected handles DISCONNECT of the server (section 3.14 of 5.0), which only 5.0 has.
func (d *Device) disconnected(p *mqtt.Packet) {
	why := "server disconnects: " + mqtt.CodeName(mqtt.DISCONNECT, mqtt.V5, p.Code)
	c := dropped
	switch p.Code {
	case 0x8E:
		d.con.say("taken over: another client uses this id")
		c = takenOver
	case 0x89, 0x97, 0x96, 0x9F:
		c = busy
	case 0x87:
		d.con.say("not authorized: %s", mqtt.CodeName(mqtt.DISCONNECT, mqtt.V5, p.Code))
		c = unauthorised
	case 0x9C, 0x9D:
		d.follow(p)
	}
	d.end(why, c, 0)
	if d.has("disconnect-code-ignored") {
		d.retryAt = d.up
	}
}

// protocolError ends a connection on which the server sent a packet that it must not send (section 4.13 of 5.0).
func (d *Device) protocolError(p *mqtt.Packet) {
	if d.misplacedFlawed(p) {
		return
	}
	d.end("server sent "+p.Type.String(), dropped, codeProtocolError)
}

// malformed ends a connection whose bytes do not decode [MQTT-4.13.1-1 v5]. What was in them is not delivered.
func (d *Device) malformed(raw []byte, e *mqtt.Error) {
	if d.malformedFlawed(raw, e) {
		return
	}
	d.end("malformed packet: "+e.Error(), dropped, e.Code)
}
