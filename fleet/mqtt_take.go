package fleet

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// take reads packets.
func (m speaksMQTT) take(s *shard, i int32, b []byte, now int64) (used int) {
	turn := s.devices[i].turn
	for {
		first, body, n := packet(b[used:])
		if n < 0 {
			s.fail(i, "a remaining length of more than four bytes", now)
			return used
		}
		if n == 0 {
			return used
		}
		used += n
		m.packet(s, i, first, body, b[used-n:used], now)
		if s.devices[i].turn != turn {
			return used
		}
	}
}

// packet splits the first packet off: its first byte, its body and its length, which is 0 while it is incomplete and below 0 when it can't be one.
func packet(b []byte) (first byte, body []byte, n int) {
	if len(b) < 2 {
		return 0, nil, 0
	}
	size, k := binary.Uvarint(b[1:min(len(b), 5)])
	switch {
	case k == 0 && len(b) < 5:
		return 0, nil, 0
	case k <= 0:
		return 0, nil, -1
	}
	if n = 1 + k + int(size); n > len(b) {
		return 0, nil, 0
	}
	return b[0], b[1+k : n], n
}

// packet acts on one packet.
func (m speaksMQTT) packet(s *shard, i int32, first byte, body, whole []byte, now int64) {
	d := &s.devices[i]
	kind := mqtt.Type(first >> 4)
	switch {
	case kind == mqtt.CONNACK && d.state == greeting:
		m.connack(s, i, whole, now)
	case d.state != up:
		s.fail(i, fmt.Sprintf("packet of type %d before CONNACK", kind), now)
	case kind == mqtt.PUBLISH:
		m.arrived(s, i, first, body, now)
	case kind == mqtt.PUBACK || kind == mqtt.PUBREC || kind == mqtt.PUBCOMP:
		m.acked(s, i, kind, body, now)
	case kind == mqtt.PUBREL && len(body) >= 2:
		s.send(i, []byte{byte(mqtt.PUBCOMP) << 4, 2, body[0], body[1]}, now)
	case kind == mqtt.PINGRESP:
		d.pinging = false
	case kind == mqtt.SUBACK:
		m.suback(s, i, whole, now)
	case kind == mqtt.UNSUBACK:
	case kind == mqtt.DISCONNECT && m.version == mqtt.V5:
		code := byte(0)
		if len(body) > 0 {
			code = body[0]
		}
		s.meter.Answer((&mqtt.Packet{Type: mqtt.DISCONNECT, Version: mqtt.V5, Code: code}).String())
		s.fail(i, "the other side closed the connection", now)
	default:
		s.fail(i, fmt.Sprintf("a packet of type %d that a server does not send", kind), now)
	}
}

func (m speaksMQTT) connack(s *shard, i int32, whole []byte, now int64) {
	p, err := mqtt.Decode(whole, m.version)
	if err != nil {
		s.fail(i, classify(err), now)
		return
	}
	if p.Code != 0 {
		s.refused(i, p.String(), now)
		return
	}
	d := &s.devices[i]
	if n := p.Props.Int(mqtt.ReceiveMaximum, 0); n > 0 {
		d.more().window = int(n)
	}
	lists := s.subscriptions(i)
	if i == s.operator && len(lists) == 0 {
		s.watched = true
	}
	d.unheard = uint8(min(len(lists), 255))
	for _, filters := range lists {
		sub := mqtt.Packet{Type: mqtt.SUBSCRIBE, Version: m.version, ID: 0xFFFF, Filters: filters}
		s.packet = sub.Append(s.packet[:0])
		s.send(i, s.packet, now)
	}
	turn := d.turn
	m.resume(s, i, p.SessionPresent, now) // before what is newer, which may wait for room
	if s.devices[i].turn == turn {
		s.accepted(i, now)
	}
}

// resume sends again, in order, what was not acknowledged: in the same flight where the session is there (4.4), otherwise as new, where the
// device has a buffer that kept it. What a connection that fails meanwhile leaves is for the next one.
func (m speaksMQTT) resume(s *shard, i int32, present bool, now int64) {
	d := &s.devices[i]
	if d.x == nil {
		return
	}
	if !present && s.classOf(i).Buffer == 0 {
		for _, f := range d.x.flights {
			s.unanswered(f, now)
		}
		d.x.flights = nil
	}
	flights := d.x.flights
	for k := range flights {
		flights[k].rel = flights[k].rel && present
	}
	turn := d.turn
	for _, f := range flights {
		if d.turn != turn {
			return
		}
		if f.rel {
			s.send(i, []byte{byte(mqtt.PUBREL)<<4 | 2, 2, byte(f.id >> 8), byte(f.id)}, now)
			continue
		}
		p := s.postOf(f.stream)
		if f.stream < 0 && i != s.operator {
			p = s.answerOf(f.stream)
		}
		s.publish(i, p, pending{due: f.due, stream: f.stream, seq: f.seq}, f.id, present, now)
	}
}

// acked acts on an acknowledgement of a message.
func (m speaksMQTT) acked(s *shard, i int32, kind mqtt.Type, body []byte, now int64) {
	d := &s.devices[i]
	if len(body) < 2 || d.x == nil {
		s.meter.Answer("an acknowledgement of nothing")
		return
	}
	id := binary.BigEndian.Uint16(body)
	for k := range d.x.flights {
		f := &d.x.flights[k]
		if f.id != id {
			continue
		}
		code := byte(0)
		if len(body) > 2 {
			code = body[2]
		}
		if kind == mqtt.PUBREC && code < 0x80 {
			f.rel = true
			s.send(i, []byte{byte(mqtt.PUBREL)<<4 | 2, 2, byte(id >> 8), byte(id)}, now)
			return
		}
		switch {
		case code >= 0x80:
			s.meter.Count(series.Rejected, 1)
			s.meter.Answer((&mqtt.Packet{Type: kind, Version: m.version, Code: code}).String())
		case f.stream < 0 && i != s.operator: // the answer to a command
		case f.stream < 0:
			s.ledger.Acked(s.ordersFrom()+uint32(-1-f.stream), f.seq)
		default:
			s.meter.Count(series.Acked, 1)
			s.meter.Time(series.Ack, time.Duration(now-f.due))
			s.ledger.Acked(s.sourceOf(f.stream), f.seq)
		}
		last := len(d.x.flights) - 1
		copy(d.x.flights[k:], d.x.flights[k+1:])
		d.x.flights = d.x.flights[:last]
		if len(d.x.backlog) > 0 {
			s.drainBacklog(i, now)
		}
		return
	}
	s.meter.Answer("an acknowledgement of nothing")
}

func (m speaksMQTT) suback(s *shard, i int32, whole []byte, now int64) {
	p, err := mqtt.Decode(whole, m.version)
	if err != nil {
		s.fail(i, classify(err), now)
		return
	}
	for _, code := range p.Codes {
		if code >= 0x80 {
			s.meter.Answer(p.String())
			if i == s.operator {
				s.denied = p.String()
			}
			return
		}
	}
	d := &s.devices[i]
	if d.unheard > 0 {
		d.unheard--
	}
	if i == s.operator && !s.watched && d.unheard == 0 {
		s.watched = true
		s.ledger.Watch()
	}
}

// arrived acts on a PUBLISH.
func (m speaksMQTT) arrived(s *shard, i int32, first byte, body []byte, now int64) {
	topic, id, text, ok := m.split(first, body)
	if !ok {
		s.fail(i, "a PUBLISH that does not decode", now)
		return
	}
	switch first >> 1 & 3 {
	case 1:
		s.send(i, []byte{byte(mqtt.PUBACK) << 4, 2, byte(id >> 8), byte(id)}, now)
	case 2:
		s.send(i, []byte{byte(mqtt.PUBREC) << 4, 2, byte(id >> 8), byte(id)}, now)
	}
	s.meter.Count(series.Received, 1)
	s.gotten(i, topic, text, now)
}

// split takes the body of a PUBLISH apart (section 3.3).
func (m speaksMQTT) split(first byte, body []byte) (topic []byte, id uint16, text []byte, ok bool) {
	if len(body) < 2 {
		return nil, 0, nil, false
	}
	n := int(binary.BigEndian.Uint16(body))
	if body = body[2:]; len(body) < n {
		return nil, 0, nil, false
	}
	topic, body = body[:n], body[n:]
	if first>>1&3 > 0 {
		if len(body) < 2 {
			return nil, 0, nil, false
		}
		id, body = binary.BigEndian.Uint16(body), body[2:]
	}
	if m.version == mqtt.V5 {
		size, k := binary.Uvarint(body)
		if k <= 0 || uint64(len(body)-k) < size {
			return nil, 0, nil, false
		}
		body = body[k+int(size):]
	}
	return topic, id, body, true
}

// filters are subscriptions, fewer than 50 to a packet.
func filters(list []product.Filter) (out [][]mqtt.Subscription) {
	for k, f := range list {
		if k%50 == 0 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], mqtt.Subscription{Filter: f.Topic, QoS: byte(f.QoS)})
	}
	return out
}
