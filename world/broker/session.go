package broker

import (
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// session is what the broker keeps for a client beyond its connection (section 4.1). It is guarded by Broker.mu.
type session struct {
	id     string
	serial int   // order of making
	conn   *Conn // nil when not connected

	subs     []*subscription
	flights  []*flight       // sent and not acknowledged to the end, in order of sending
	queue    []delivery      // QoS 1 and 2, not yet sent
	bytes    int             // payload bytes in queue
	received map[uint16]bool // QoS 2 ids of the client between PUBLISH and PUBREL
	lastID   uint16

	window    int // flights at a time
	maxPacket int // bytes that the client takes; 0: any
	expiry    uint32

	epoch   int // counts connections, so that timers of an earlier absence do nothing
	aging   *time.Timer
	will    *mqtt.Will // waits for its delay
	willing *time.Timer
}

// flight is a message on its way to the client.
type flight struct {
	delivery
	id       uint16
	sent     bool // on this connection
	again    bool // sent on an earlier one
	released bool // PUBREC came: the rest is PUBREL and PUBCOMP
}

// wake prepares the session for a new connection.
func (s *session) wake() {
	s.stop()
	s.epoch++
	s.will = nil
	for _, f := range s.flights {
		f.again = f.again || f.sent
		f.sent = false
	}
}

// stop ends the timers of an absence.
func (s *session) stop() {
	if s.aging != nil {
		s.aging.Stop()
	}
	if s.willing != nil {
		s.willing.Stop()
	}
}

// empty forgets all of a session but its connection. Broker.mu is held.
func (b *Broker) empty(s *session) {
	b.queued -= s.bytes
	for _, sub := range s.subs {
		b.filters -= len(sub.Filter)
	}
	s.subs, s.flights, s.queue, s.bytes, s.received = nil, nil, nil, 0, nil
}

// nextID returns a packet identifier without a flight.
func (s *session) nextID() uint16 {
	for {
		s.lastID++
		if s.lastID != 0 && s.flight(s.lastID) < 0 {
			return s.lastID
		}
	}
}

// flight is the place of an id in flights, or -1.
func (s *session) flight(id uint16) int {
	for i, f := range s.flights {
		if f.id == id {
			return i
		}
	}
	return -1
}

func (s *session) subscriptions() []mqtt.Subscription {
	var list []mqtt.Subscription
	for _, sub := range s.subs {
		list = append(list, sub.Subscription)
	}
	return list
}

// enqueue gives a delivery to a session: at once with QoS 0, through queue and window otherwise. It reports false when there is nobody
// to take it, or no room. Broker.mu is held.
func (b *Broker) enqueue(s *session, d delivery) bool {
	if d.qos == 0 {
		if s.conn == nil {
			return false
		}
		return b.transmit(s, d, 0, false)
	}
	size := len(d.Payload)
	if len(s.queue) >= maxQueueMessages || s.bytes+size > maxQueueBytes || b.queued+size > maxQueuedTotal {
		return false
	}
	s.queue = append(s.queue, d)
	s.bytes += size
	b.queued += size
	b.resume(s)
	return true
}

// resume sends what the window allows: first what an earlier connection left unfinished, in the same order, then the queue
// [MQTT-4.4.0-1] [MQTT-4.6.0-1]. Broker.mu is held.
func (b *Broker) resume(s *session) {
	if s.conn == nil {
		return
	}
	open := 0
	for _, f := range s.flights {
		if f.sent {
			open++
		}
	}
	for _, f := range s.flights {
		if open >= s.window {
			return
		}
		if f.sent {
			continue
		}
		f.sent = true
		open++
		if f.released {
			s.conn.send(&mqtt.Packet{Type: mqtt.PUBREL, ID: f.id})
		} else {
			b.transmit(s, f.delivery, f.id, f.again)
		}
	}
	now := b.clock.Now()
	for open < s.window && len(s.queue) > 0 {
		d := s.queue[0]
		s.queue[0] = delivery{}
		s.queue = s.queue[1:]
		s.bytes -= len(d.Payload)
		b.queued -= len(d.Payload)
		if d.expired(now) {
			continue
		}
		f := &flight{delivery: d, id: s.nextID(), sent: true}
		if b.transmit(s, d, f.id, false) {
			s.flights = append(s.flights, f)
			open++
		}
	}
}

// handleAck moves what is in flight to the client: PUBACK, PUBREC and PUBCOMP.
func (c *Conn) handleAck(p *mqtt.Packet) {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if !c.live() {
		return
	}
	s := c.session
	i := s.flight(p.ID)
	if i < 0 {
		if p.Type == mqtt.PUBREC {
			c.releaseUnknown(p)
		}
		return
	}
	f := s.flights[i]
	switch {
	case p.Type == mqtt.PUBREC && f.qos == 2 && p.Code < 0x80:
		f.released = true
		c.send(&mqtt.Packet{Type: mqtt.PUBREL, ID: p.ID})
		return
	case p.Type == mqtt.PUBREC && f.qos == 2: // refused: the handshake is over (section 4.3.3)
	case p.Type == mqtt.PUBACK && f.qos == 1:
	case p.Type == mqtt.PUBCOMP && f.released:
	default: // not the acknowledgement that this message waits for
		return
	}
	s.flights = append(s.flights[:i], s.flights[i+1:]...)
	c.b.resume(s)
}

// releaseUnknown answers a PUBREC for which there is no flight: with success if a check sent the message, else with 0x92 "packet
// identifier not found", which 3.1.1 cannot say.
func (c *Conn) releaseUnknown(p *mqtt.Packet) {
	if p.Code >= 0x80 {
		return
	}
	rel := &mqtt.Packet{Type: mqtt.PUBREL, ID: p.ID}
	c.mu.Lock()
	if _, told := c.told[p.ID]; told {
		delete(c.told, p.ID)
	} else if c.version == mqtt.V5 {
		rel.Code = 0x92
	}
	c.mu.Unlock()
	c.send(rel)
}
