package broker

import (
	"math"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Message is an application message.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
	Props   mqtt.Properties // 5.0: those that a broker forwards; others are ignored
}

// held is a message that the broker has, and since when.
type held struct {
	Message
	at time.Time
}

// expired reports whether the message expiry interval has passed (section 3.3.2.3.3).
func (h held) expired(now time.Time) bool {
	left, limited := h.left(now)
	return limited && left == 0
}

// left is the rest of the message expiry interval in seconds, and whether there is one.
func (h held) left(now time.Time) (uint32, bool) {
	if !h.Props.Has(mqtt.MessageExpiry) {
		return 0, false
	}
	left := float64(h.Props.Int(mqtt.MessageExpiry, 0)) - max(0, now.Sub(h.at).Seconds())
	return uint32(math.Ceil(max(0, left))), true
}

// delivery is a message for one session.
type delivery struct {
	held
	qos    byte
	retain bool
	ids    []uint32 // subscription identifiers
}

// route stores h if it is to be retained and gives it to every session that wants it. From is the publisher's client id. It returns
// how many sessions took it. Broker.mu is held.
func (b *Broker) route(h held, from string) int {
	h.Props = forwarded(h.Props)
	b.retain(h)
	taken := 0
	var groups map[string]member
	for _, s := range b.sessions {
		if d, ok := s.wants(h, from); ok && b.enqueue(s, d) {
			taken++
		}
		for _, sub := range s.subs {
			if sub.share != "" && mqtt.Match(sub.pattern, h.Topic) {
				if groups == nil {
					groups = make(map[string]member)
				}
				m := member{s, sub}
				if other, ok := groups[sub.Filter]; !ok || m.before(other) {
					groups[sub.Filter] = m
				}
			}
		}
	}
	for _, m := range groups {
		b.turn++
		m.sub.turn = b.turn
		d := delivery{held: h, qos: min(h.QoS, m.sub.QoS), retain: h.Retain && m.sub.RetainAsPublished}
		if m.sub.id > 0 {
			d.ids = []uint32{m.sub.id}
		}
		if b.enqueue(m.session, d) {
			taken++
		}
	}
	return taken
}

// wants makes one delivery of all subscriptions that match, with the highest QoS and all identifiers [MQTT-3.3.4-2] [MQTT-3.3.4-3].
func (s *session) wants(h held, from string) (delivery, bool) {
	d, found := delivery{held: h}, false
	for _, sub := range s.subs {
		if sub.share != "" || sub.NoLocal && from == s.id || !mqtt.Match(sub.Filter, h.Topic) {
			continue
		}
		found = true
		d.qos = max(d.qos, min(h.QoS, sub.QoS))
		d.retain = d.retain || h.Retain && sub.RetainAsPublished
		if sub.id > 0 {
			d.ids = append(d.ids, sub.id)
		}
	}
	return d, found
}

// transmit sends a delivery as a PUBLISH. It reports false when the packet is larger than the client takes; the message then counts as
// delivered (section 3.1.2.11.4). Broker.mu is held.
func (b *Broker) transmit(s *session, d delivery, id uint16, again bool) bool {
	p := &mqtt.Packet{
		Type: mqtt.PUBLISH, Version: s.conn.Version(),
		Dup: again, QoS: d.qos, Retain: d.retain, Topic: d.Topic, Payload: d.Payload, ID: id,
	}
	if p.Version == mqtt.V5 {
		p.Props = slices.Clone(d.Props)
		if left, limited := d.left(b.clock.Now()); limited {
			i := slices.IndexFunc(p.Props, func(q mqtt.Property) bool { return q.ID == mqtt.MessageExpiry })
			p.Props[i].Int = left
		}
		for _, n := range d.ids {
			p.Props = append(p.Props, mqtt.Property{ID: mqtt.SubscriptionIdentifier, Int: n})
		}
	}
	if s.maxPacket > 0 && len(p.Bytes()) > s.maxPacket {
		return false
	}
	s.conn.send(p)
	return true
}

// forwarded are the properties of a PUBLISH or a will that a broker hands on, in their order [MQTT-3.3.2-17].
func forwarded(ps mqtt.Properties) mqtt.Properties {
	var kept mqtt.Properties
	for _, p := range ps {
		switch p.ID {
		case mqtt.PayloadFormat, mqtt.MessageExpiry, mqtt.ContentType, mqtt.ResponseTopic, mqtt.CorrelationData, mqtt.UserProperty:
			kept = append(kept, p)
		}
	}
	return kept
}
