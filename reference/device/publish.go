package device

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// maxTries is how often a message is sent that the server refuses.
const maxTries = 3

// refusedWait is how long nothing is published after the server refused a message for a reason that passes.
const refusedWait = 5 * time.Second

// pump queues what may be published now: first what was in flight on the last connection, in its order [MQTT-4.6.0-1], then status,
// state, events and readings. The server's window is never exceeded [MQTT-3.3.4-7 v5].
func (d *Device) pump() {
	if !d.online() || d.up < d.holdTill {
		return
	}
	s := &d.set.Session
	sent, readings := s.unacknowledged()
	for i := 0; i < len(s.InFlight); i++ {
		if s.InFlight[i].sent {
			continue
		}
		if sent >= d.link.window {
			return
		}
		if !d.send(&s.InFlight[i]) {
			s.InFlight = append(s.InFlight[:i], s.InFlight[i+1:]...)
			i--
			continue
		}
		sent++
		d.drainAt = max(d.drainAt, d.up) + drainGap
	}
	for sent < d.link.window {
		m, ok := d.pick(readings)
		if !ok {
			return
		}
		d.dirty = true
		m.ID = d.messageID()
		if !d.send(&m) || d.link.qos == 0 {
			continue
		}
		s.InFlight = append(s.InFlight, m)
		sent++
		if m.Kind == telemetry {
			readings++
		}
	}
}

// pick takes the next message that was never sent. State and status exist once: while one is in flight the next has to wait, and then
// tells the newest.
func (d *Device) pick(readings int) (message, bool) {
	s := &d.set.Session
	switch {
	case d.statusIs != "" && !s.holds(status):
		m := message{Kind: status, Payload: []byte(d.statusIs)}
		d.statusIs = ""
		return m, true
	case d.stateDue && !s.holds(state):
		d.stateDue = false
		return message{Kind: state, Payload: d.state()}, true
	case d.localDue && !s.holds(local) && !d.has("local-not-told"):
		d.localDue = false
		return message{Kind: local, Payload: d.local()}, true
	case len(d.set.Events) > 0:
		m := d.set.Events[0]
		d.set.Events = d.set.Events[1:]
		return m, true
	case len(d.set.Backlog) > 0 && (d.up >= d.drainAt || d.has("drain-burst")) && (readings < readingWindow || d.has("drain-burst")):
		r := d.set.Backlog[0]
		d.set.Backlog = d.set.Backlog[1:]
		d.drainAt = d.up + drainGap
		return message{Kind: telemetry, Payload: d.encode(r)}, true
	}
	return message{}, false
}

// state is the payload that tells the present target and how often it changed.
func (d *Device) state() []byte {
	return fmt.Appendf(nil, `{"target":%g,"version":%d}`, float64(d.set.Target)/10, d.set.Changes)
}

// messageID is the packet id of a new message.
func (d *Device) messageID() uint16 {
	switch {
	case d.has("packet-id-reused"):
		return 1
	case d.has("packet-id-zero"):
		return 0
	}
	return d.set.Session.nextID()
}

// send queues m, or gives it up when the server takes no packet of its size [MQTT-3.2.2-15 v5].
func (d *Device) send(m *message) bool {
	l := d.link
	p := &mqtt.Packet{
		Type: mqtt.PUBLISH, Version: l.version, QoS: min(1, l.qos), ID: m.ID, Dup: m.Again && l.qos > 0,
		Topic: d.cfg.topic(string(m.Kind)), Payload: m.Payload, Retain: m.Kind.retained() && l.retain,
	}
	d.publishFlawed(p, m)
	raw := p.Bytes()
	if l.largest > 0 && len(raw) > l.largest {
		d.drop(*m, fmt.Sprintf("%d bytes, the server takes %d", len(raw), l.largest))
		return false
	}
	l.out = append(l.out, raw...)
	m.sent, m.at = true, d.up
	return true
}

// acknowledged handles PUBACK.
func (d *Device) acknowledged(p *mqtt.Packet) {
	m, ok := d.set.Session.take(p.ID)
	if !ok {
		d.unknownAck(p)
		return
	}
	d.dirty = true
	if p.Code < 0x80 {
		return
	}
	d.con.say("message refused %s: %s", m.Kind, mqtt.CodeName(mqtt.PUBACK, mqtt.V5, p.Code))
	if d.has("puback-error-endless") {
		d.again(m)
		return
	}
	m.Tries++
	passing := p.Code == 0x97 || p.Code == 0x80 || p.Code == 0x83 // quota, unspecified, implementation specific
	if !passing || m.Tries >= maxTries {
		d.drop(m, fmt.Sprintf("refused %d times", m.Tries))
		return
	}
	d.holdTill = d.up + refusedWait
	d.again(m)
}

// again puts a refused message back at the head of the events: it goes out as a new one, with a new packet id.
func (d *Device) again(m message) {
	m.sent, m.Again = false, false
	d.set.Events = append([]message{m}, d.set.Events...)
}

// decodeReading reads back what encode made.
func decodeReading(payload []byte) (reading, error) {
	var r reading
	if err := json.Unmarshal(payload, &r); err != nil {
		return r, fmt.Errorf("decode reading: %w", err)
	}
	return r, nil
}
