package broker

import (
	"fmt"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// detach parts a session from its connection: the will is sent or scheduled, and the session ends or begins to age. Broker.mu is
// held.
func (b *Broker) detach(c *Conn) {
	if !c.live() {
		return
	}
	s, will := c.session, c.will
	s.conn, c.will = nil, nil
	if will != nil {
		s.will = will
		b.scheduleWill(s)
	}
	switch s.expiry {
	case 0:
		b.drop(s)
	case endless:
	default:
		epoch := s.epoch
		s.aging = b.clock.AfterFunc(lifetime(s.expiry), func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if s.epoch == epoch {
				b.drop(s)
			}
		})
	}
}

// lost is called when a connection has ended, by whomever.
func (b *Broker) lost(c *Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.detach(c)
}

// drop ends a session. A will that waits for its delay is sent now (section 3.1.3.2.2). Broker.mu is held.
func (b *Broker) drop(s *session) {
	if b.sessions[s.id] == s {
		delete(b.sessions, s.id)
	}
	b.empty(s)
	s.stop()
	if s.will != nil {
		b.sendWill(s)
	}
}

// scheduleWill sends the will of a session that lost its connection, after its delay if it has one.
func (b *Broker) scheduleWill(s *session) {
	delay := lifetime(s.will.Props.Int(mqtt.WillDelay, 0))
	if delay == 0 || s.expiry == 0 {
		b.sendWill(s)
		return
	}
	epoch := s.epoch
	s.willing = b.clock.AfterFunc(delay, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if s.epoch == epoch && s.will != nil {
			b.sendWill(s)
		}
	})
}

// sendWill publishes a will, and logs it as a Seen event with the PUBLISH as Data. Broker.mu is held.
func (b *Broker) sendWill(s *session) {
	w := s.will
	s.will = nil
	b.log.Add(evidence.Event{
		Part: b.part, Kind: evidence.Seen, Text: fmt.Sprintf("will of %.60q published on %.200q", s.id, w.Topic),
		Data: &mqtt.Packet{Type: mqtt.PUBLISH, QoS: w.QoS, Retain: w.Retain, Topic: w.Topic, Payload: w.Payload},
	})
	b.route(held{
		Message: Message{Topic: w.Topic, Payload: w.Payload, QoS: w.QoS, Retain: w.Retain, Props: forwarded(w.Props)},
		at:      b.clock.Now(),
	}, s.id)
}
