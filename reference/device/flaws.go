package device

import (
	"bytes"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// flaws is what planted defects remember. It is empty in a good device.
type flaws struct {
	subscribedOnce bool
	failures       int             // of TLS in a row
	seen           map[uint16]bool // packet ids that the server used
	burst          int             // messages since burstAt
	burstAt        time.Duration
	slow           []*mqtt.Packet // commands given to a second worker
	slowAt         time.Duration
	commands       int
	late           map[uint16]bool // packet ids whose acknowledgement was late
	cloudAt        time.Duration   // uptime at which it was last online, or booted
}

// bootFlawed is what defects do at boot.
func (d *Device) bootFlawed() {
	if d.has("connect-slow") {
		d.retryAt = d.up + 5*time.Minute
	}
	if d.has("settings-lost-at-reboot") {
		boots := d.set.Boots
		d.set = settings{Target: 200, Boots: boots}
	}
}

// connectFlawed changes CONNECT.
func (d *Device) connectFlawed(p *mqtt.Packet) {
	c := p.Connect
	switch {
	case d.has("client-id-random"):
		c.ClientID = fmt.Sprintf("thermostat-%08x", d.rng.Uint32())
	case d.has("client-id-of-model"):
		c.ClientID = "thermostat"
	case d.has("client-id-strange"):
		c.ClientID = "thermostat/" + d.cfg.ID + " #ü"
	case d.has("keep-alive-off"):
		c.KeepAlive, d.link.keepAlive = 0, 0
	case d.has("keep-alive-1h"):
		c.KeepAlive, d.link.keepAlive = 3600, time.Hour
	case d.has("protocol-name-old"):
		c.Protocol = "MQIsdp"
	case d.has("clean-start"), d.has("clean-no-resubscribe"):
		c.Clean = true
	case d.has("will-missing"):
		c.Will = nil
	case d.has("will-not-retained"):
		c.Will.Retain = false
	case d.has("will-other-topic"):
		c.Will.Topic = d.cfg.topic("lwt")
	}
	if d.has("session-expiry-0") || c.Clean {
		for i := range p.Props {
			if p.Props[i].ID == mqtt.SessionExpiry {
				p.Props[i].Int = 0
			}
		}
	}
}

// afterConnectFlawed sends what should wait for CONNACK.
func (d *Device) afterConnectFlawed() {
	l := d.link
	if d.has("connect-reserved-flag") {
		l.out[bytes.Index(l.out, []byte("MQTT"))+5] |= 1 // the connect flags stand behind name and level
	}
	if d.has("publish-before-connack") {
		l.queue(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: d.cfg.topic("telemetry"), Payload: []byte(`{"seq":0}`)})
	}
}

// sessionFlawed changes what is carried into a new connection.
func (d *Device) sessionFlawed() {
	s := &d.set.Session
	switch {
	case d.has("in-flight-lost"):
		s.InFlight = nil
	case d.has("resend-without-dup"):
		for i := range s.InFlight {
			s.InFlight[i].Again = false
		}
	case d.has("resend-new-id"):
		for i := range s.InFlight {
			s.InFlight[i].ID = s.nextID()
			s.InFlight[i].Again = false
		}
	case d.has("qos2-forgotten-at-reconnect"):
		s.Received = nil
	}
}

// resubscribeFlawed reports whether a defect keeps the device from subscribing after its session was lost.
func (d *Device) resubscribeFlawed() bool {
	return d.flaw.subscribedOnce && (d.has("session-lost-no-resubscribe") || d.has("clean-no-resubscribe"))
}

// publishFlawed changes a message on its way out.
func (d *Device) publishFlawed(p *mqtt.Packet, m *message) {
	switch {
	case d.has("birth-missing") && m.Kind == status:
		p.Topic = d.cfg.topic("hello")
	case d.has("birth-not-retained") && m.Kind == status, d.has("state-not-retained") && m.Kind == state:
		p.Retain = false
	case d.has("events-on-command-topic") && m.Kind == event:
		p.Topic, p.Retain = d.cfg.topic("command"), true
	}
}

// advanceFlawed does what defects do by the time alone.
func (d *Device) advanceFlawed() {
	d.advanceLate()
	d.advanceCloudless()
	if len(d.flaw.slow) > 0 && d.up >= d.flaw.slowAt && d.online() {
		late := d.flaw.slow
		d.flaw.slow = nil
		for _, p := range late {
			d.onCommand(p)
		}
	}
	if !d.has("resend-by-timer") || !d.online() {
		return
	}
	for i := range d.set.Session.InFlight {
		m := &d.set.Session.InFlight[i]
		if m.sent && d.up-m.at >= 10*time.Second {
			m.Again = true
			d.send(m)
		}
	}
}

// afterFailure counts failed attempts, for the defects that give way to them.
func (d *Device) afterFailure() {
	d.flaw.failures++
	if d.has("tls-failure-plain") {
		d.plain = !d.plain
	}
	if d.has("tls-failure-crash") && d.flaw.failures >= 4 {
		d.crash("out of memory in TLS")
	}
}

// endFlawed forgets what only a connection remembers.
func (d *Device) endFlawed() { d.flaw.burst, d.flaw.failures = 0, 0 }

// repeatedFlawed reports whether a message with QoS 1 is left out because its packet id came before, although the server may use it
// again once it was acknowledged.
func (d *Device) repeatedFlawed(p *mqtt.Packet) bool {
	if !d.has("packet-id-remembered") {
		return false
	}
	if d.flaw.seen == nil {
		d.flaw.seen = map[uint16]bool{}
	}
	again := d.flaw.seen[p.ID]
	d.flaw.seen[p.ID] = true
	if again {
		d.link.queue(&mqtt.Packet{Type: mqtt.PUBACK, ID: p.ID})
	}
	return again
}

// deliverFlawed reports whether a defect dealt with a message in its own way.
func (d *Device) deliverFlawed(p *mqtt.Packet) bool {
	if d.up-d.flaw.burstAt > 5*time.Second {
		d.flaw.burst, d.flaw.burstAt = 0, d.up
	}
	d.flaw.burst++
	d.flaw.commands++
	switch {
	case d.has("flood-crash") && d.flaw.burst > 200:
		d.crash("heap exhausted by messages")
	case d.has("payload-large-crash") && len(p.Payload) > maxPayload:
		d.crash("stack smashed by a payload")
	case d.has("payload-4k") && len(p.Payload) > 4096:
		return true // it does not fit the buffer, and nobody is told
	case d.has("topic-long-crash") && len(p.Topic) > 255:
		d.crash("stack smashed by a topic name")
	case d.has("commands-out-of-order") && d.flaw.commands%3 == 2:
		d.flaw.slow, d.flaw.slowAt = append(d.flaw.slow, p), d.up+2*time.Second
		return true
	}
	return d.fate != nil
}

// unknownFlawed reports whether a defect dealt with an acknowledgement of an unknown id.
func (d *Device) unknownFlawed() bool {
	switch {
	case d.has("unknown-ack-deaf"):
		d.wedged = true
	case d.has("unknown-ack-crash"):
		d.crash("no such packet id")
	case d.has("unknown-ack-closes"):
		d.end("unknown packet id", dropped, codeProtocolError)
	default:
		return false
	}
	return true
}

// misplacedFlawed reports whether a defect passes over a packet that the server must not send.
func (d *Device) misplacedFlawed(p *mqtt.Packet) bool {
	switch p.Type {
	case mqtt.CONNACK:
		return d.has("malformed-second-connack-ignored")
	case mqtt.AUTH:
		return d.reservedFlawed()
	}
	if d.has("malformed-wrong-direction-crash") {
		d.crash("handler of " + p.Type.String() + " is nil")
		return true
	}
	return d.has("malformed-wrong-direction-ignored")
}
