package broker

import (
	"fmt"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// handlePublish takes a message from the client (section 3.3.4).
func (c *Conn) handlePublish(p *mqtt.Packet) bool {
	topic, bad := c.resolve(p)
	if bad == nil {
		bad = c.allowed(p)
	}
	if bad != nil {
		return c.violation(bad, nil)
	}
	o, v5 := c.b.options(), c.Version() == mqtt.V5
	ack := &mqtt.Packet{Type: mqtt.PUBACK, ID: p.ID}
	if p.QoS == 2 {
		ack.Type = mqtt.PUBREC
	}
	permitted := o.Authorize == nil || o.Authorize(c, true, topic)
	if !permitted && v5 {
		ack.Code = 0x87
	}
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if !c.live() {
		return true
	}
	s := c.session
	again := p.QoS == 2 && s.received[p.ID]
	if p.QoS == 2 && ack.Code == 0 {
		if s.received == nil {
			s.received = make(map[uint16]bool)
		}
		s.received[p.ID] = true
	}
	if permitted && !again {
		b.route(held{
			Message: Message{Topic: topic, Payload: p.Payload, QoS: p.QoS, Retain: p.Retain, Props: p.Props},
			at:      b.clock.Now(),
		}, s.id)
	}
	if p.QoS > 0 {
		c.send(ack)
	}
	return true
}

// allowed checks a PUBLISH against what CONNACK said. In 3.1.1 the broker could not say it, but cannot take such a message either.
func (c *Conn) allowed(p *mqtt.Packet) *mqtt.Error {
	if limit := c.limits.maximumQoS(); p.QoS > limit {
		return &mqtt.Error{Reason: fmt.Sprintf("QoS %d, the announced maximum is %d", p.QoS, limit), Statement: "MQTT-3.2.2-11", Code: 0x9B}
	}
	if p.Retain && c.limits.NoRetain {
		return &mqtt.Error{Reason: "RETAIN where it is announced as not available", Statement: "MQTT-3.2.2-14", Code: 0x9A}
	}
	return nil
}

// resolve returns the topic of a PUBLISH, by its alias if it has one (section 3.3.2.3.4).
func (c *Conn) resolve(p *mqtt.Packet) (string, *mqtt.Error) {
	if c.Version() != mqtt.V5 || !p.Props.Has(mqtt.TopicAlias) {
		if p.Topic == "" {
			return "", &mqtt.Error{Reason: "no topic and no topic alias", Statement: "MQTT-4.7.3-1", Code: 0x82}
		}
		return p.Topic, nil
	}
	n := p.Props.Int(mqtt.TopicAlias, 0)
	if n == 0 || n > uint32(c.limits.TopicAliasMaximum) {
		return "", &mqtt.Error{
			Reason:    fmt.Sprintf("topic alias %d, the announced maximum is %d", n, c.limits.TopicAliasMaximum),
			Statement: "MQTT-3.3.2-9", Code: 0x94,
		}
	}
	if p.Topic == "" {
		topic, ok := c.aliases[uint16(n)]
		if !ok {
			return "", &mqtt.Error{Reason: fmt.Sprintf("topic alias %d has no topic", n), Statement: "MQTT-3.3.2-8", Code: 0x82}
		}
		return topic, nil
	}
	if c.aliases == nil {
		c.aliases = make(map[uint16]string)
	}
	c.aliases[uint16(n)] = p.Topic
	return p.Topic, nil
}

// handleRelease completes a QoS 2 message of the client.
func (c *Conn) handleRelease(p *mqtt.Packet) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if !c.live() {
		return
	}
	ack := &mqtt.Packet{Type: mqtt.PUBCOMP, ID: p.ID}
	if !c.session.received[p.ID] && c.Version() == mqtt.V5 {
		ack.Code = 0x92
	}
	delete(c.session.received, p.ID)
	c.send(ack)
}
