package broker

import (
	"slices"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// retain stores a message that asks for it; one without payload clears [MQTT-3.3.1-5] [MQTT-3.3.1-6]. Broker.mu is held.
func (b *Broker) retain(h held) {
	if !h.Retain || b.opts.NoRetain {
		return
	}
	if old, ok := b.retained[h.Topic]; ok {
		b.stored -= len(old.Payload)
		delete(b.retained, h.Topic)
	}
	if len(h.Payload) == 0 || len(b.retained) >= maxRetained || b.stored+len(h.Payload) > maxRetainedBytes {
		return
	}
	b.retained[h.Topic] = h
	b.stored += len(h.Payload)
}

// sendRetained sends what is retained for a subscription, by topic. Broker.mu is held.
func (b *Broker) sendRetained(s *session, sub *subscription) {
	var topics []string
	for topic := range b.retained {
		if mqtt.Match(sub.Filter, topic) {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	now := b.clock.Now()
	for _, topic := range topics {
		h := b.retained[topic]
		if h.expired(now) {
			b.stored -= len(h.Payload)
			delete(b.retained, topic)
			continue
		}
		d := delivery{held: h, qos: min(h.QoS, sub.QoS), retain: true}
		if sub.id > 0 {
			d.ids = []uint32{sub.id}
		}
		b.enqueue(s, d)
	}
}
