package fleet

import (
	"cmp"
	"encoding/binary"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// speaksMQTT is MQTT 3.1.1 and 5.0.
type speaksMQTT struct{ version mqtt.Version }

func (m speaksMQTT) open(s *shard, i int32, now int64) {
	c := s.classOf(i)
	who := s.identity(i)
	connect := &mqtt.Connect{
		Protocol: "MQTT", Level: m.version, Clean: !c.Persist, KeepAlive: uint16(min(65535, time.Duration(c.KeepAlive).Seconds())), ClientID: who.ID,
		HasUser: who.User != "", User: who.User, HasPass: who.Pass != "", Pass: []byte(who.Pass),
	}
	if w := c.will; w != nil {
		v := s.fill(i, 0, 0, now)
		connect.Will = &mqtt.Will{Topic: string(w.topic.Append(nil, v)), Payload: w.payload.Append(nil, v), QoS: w.qos, Retain: w.retain}
	}
	p := mqtt.Packet{Type: mqtt.CONNECT, Version: m.version, Connect: connect}
	if m.version == mqtt.V5 && c.Persist {
		p.Props = mqtt.Properties{{ID: mqtt.SessionExpiry, Int: uint32(time.Duration(c.Expiry).Seconds())}}
	}
	s.packet = p.Append(s.packet[:0])
	s.send(i, s.packet, now)
}

// idle sends a PINGREQ when nothing was sent for a keep-alive (3.1.2.10), and gives up when the last one was not answered for as long.
func (m speaksMQTT) idle(s *shard, i int32, now int64) time.Duration {
	d := &s.devices[i]
	alive := time.Duration(float64(s.classOf(i).KeepAlive) / cmp.Or(s.job.Speed, 1))
	if alive == 0 {
		return 0
	}
	if quiet := time.Duration(now - d.wrote); quiet < alive {
		return alive - quiet
	}
	if d.pinging {
		s.fail(i, "no PINGRESP", now)
		return 0
	}
	d.pinging = true
	s.send(i, pingreq, now)
	return alive
}

var (
	pingreq    = []byte{byte(mqtt.PINGREQ) << 4, 0}
	disconnect = []byte{byte(mqtt.DISCONNECT) << 4, 0}
)

func (m speaksMQTT) opens() string { return "CONNECT" }

func (m speaksMQTT) close(s *shard, i int32) (heard bool) {
	s.send(i, disconnect, s.now())
	return true
}

// post sends a PUBLISH. A message of QoS 0 always has room.
func (m speaksMQTT) post(s *shard, i int32, p *post, w pending, now int64) bool {
	d := &s.devices[i]
	var id uint16
	if p.qos > 0 {
		x := d.more()
		if len(x.flights) >= s.window(i) {
			return false
		}
		id = nextID(d)
		x.flights = append(x.flights, flight{due: w.due, stream: w.stream, seq: w.seq, id: id, qos: p.qos})
	}
	if w.stream < 0 {
		s.ledger.Sent(s.ordersFrom()+uint32(-1-w.stream), w.seq) // before it is: another loop may get it first
	} else {
		s.ledger.Sent(s.sourceOf(w.stream), w.seq)
		s.meter.Count(series.Sent, 1)
	}
	s.publish(i, p, w, id, false, now)
	return true
}

// nextID is a packet identifier that is not in flight.
func nextID(d *device) uint16 {
	for {
		d.id++
		if d.id == 0 {
			continue
		}
		taken := false
		for k := range d.x.flights {
			taken = taken || d.x.flights[k].id == d.id
		}
		if !taken {
			return d.id
		}
	}
}

// head is room for the first byte and the remaining length before a packet's body.
const head = 5

// publish writes one PUBLISH; the payload of a message is the same each time that it is made.
func (s *shard) publish(i int32, p *post, w pending, id uint16, dup bool, now int64) {
	s.packet = s.compose(s.packet[:0], p, s.fill(i, w.stream, w.seq, w.due), s.classOf(i).version, id)
	first := byte(mqtt.PUBLISH)<<4 | p.qos<<1
	if dup {
		first |= 8
	}
	if p.retain {
		first |= 1
	}
	s.send(i, sized(s.packet, first), now)
}

// compose writes the body of a PUBLISH behind room for its head; an id of 0 is none.
func (s *shard) compose(b []byte, p *post, v *payload.Vars, version mqtt.Version, id uint16) []byte {
	b = append(b, 0, 0, 0, 0, 0, 0, 0) // head, and the length of the topic
	b = p.topic.Append(b, v)
	binary.BigEndian.PutUint16(b[head:], uint16(len(b)-head-2))
	if id > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	if version == mqtt.V5 {
		b = append(b, 0) // no properties
	}
	return p.payload.Append(b, v)
}

// sized puts first byte and remaining length before a body that begins at head.
func sized(b []byte, first byte) []byte {
	var n [head]byte
	n[0] = first
	k := 1 + binary.PutUvarint(n[1:], uint64(len(b)-head))
	copy(b[head-k:], n[:k])
	return b[head-k:]
}
