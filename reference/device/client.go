package device

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// sendConnect queues the CONNECT packet.
func (d *Device) sendConnect() {
	l := d.link
	c := &mqtt.Connect{
		Protocol:  "MQTT",
		Level:     l.version,
		KeepAlive: uint16(keepAlive / time.Second),
		ClientID:  d.cfg.ID,
		Will:      &mqtt.Will{Topic: d.cfg.topic("status"), Payload: []byte("offline"), QoS: 1, Retain: true},
	}
	p := &mqtt.Packet{Type: mqtt.CONNECT, Connect: c}
	if l.version == mqtt.V5 {
		p.Props = mqtt.Properties{
			{ID: mqtt.SessionExpiry, Int: uint32(sessionExpiry / time.Second)},
			{ID: mqtt.ReceiveMaximum, Int: receiveMaximum},
			{ID: mqtt.MaximumPacketSize, Int: maxPacket},
			{ID: mqtt.TopicAliasMaximum, Int: aliasMaximum},
		}
	}
	d.connectFlawed(p)
	l.queue(p)
	d.afterConnectFlawed()
}

// greeted handles CONNACK.
func (d *Device) greeted(p *mqtt.Packet) {
	l := d.link
	if p.Code != 0 {
		d.refused(p)
		return
	}
	l.serving, l.since = true, d.up
	d.hops = 0
	d.limits(p.Props)
	s := &d.set.Session
	if !p.SessionPresent {
		d.requeue(s.lost())
		d.stateDue = d.stateDue || !d.has("state-once") // what the server had retained may be lost too
	}
	d.localDue = d.localDue || !p.SessionPresent && d.address.IsValid()
	s.reconnected()
	d.sessionFlawed()
	d.dirty = true
	d.con.say("online")
	d.resubAt, d.resubs = 0, 0
	if !s.Subscribed && !d.resubscribeFlawed() || d.has("subscribe-always") {
		d.subscribe()
	}
	if s.Subscribed || d.has("online-too-early") {
		d.announce()
	}
}

// announce says on the status topic that the device can be reached: once for each connection.
func (d *Device) announce() {
	if d.link.announced {
		return
	}
	d.link.announced = true
	if !d.set.Session.holds(status) {
		d.statusIs = "online"
	}
}

// limits takes what the server announces (section 3.2.2.3 of 5.0).
func (d *Device) limits(ps mqtt.Properties) {
	l := d.link
	if !d.has("receive-maximum-ignored") {
		l.window = min(sendWindow, int(ps.Int(mqtt.ReceiveMaximum, sendWindow)))
	}
	if !d.has("packet-size-ignored") {
		l.largest = int(ps.Int(mqtt.MaximumPacketSize, 0))
	}
	l.qos = byte(ps.Int(mqtt.MaximumQoS, 2))
	l.retain = ps.Int(mqtt.RetainAvailable, 1) == 1
	if ps.Has(mqtt.ServerKeepAlive) && !d.has("ping-ignores-server-keepalive") {
		l.keepAlive = time.Duration(ps.Int(mqtt.ServerKeepAlive, 0)) * time.Second
	}
}

// refused handles a CONNACK that does not accept the device.
func (d *Device) refused(p *mqtt.Packet) {
	name := mqtt.CodeName(mqtt.CONNACK, p.Version, p.Code)
	why := "server refuses: " + name
	c := dropped
	switch code := p.Code; {
	case p.Version == mqtt.V5 && code == 0x84, p.Version != mqtt.V5 && code == 1:
		if d.version() == mqtt.V5 {
			d.set.Old, d.dirty = !d.has("v5-refused-storm"), true
			why, c = "server speaks MQTT 3.1.1 only", tryOther
		}
	case p.Version == mqtt.V5 && (code == 0x86 || code == 0x87 || code == 0x8A || code == 0x8C), p.Version != mqtt.V5 && (code == 4 || code == 5):
		d.con.say("not authorized: %s", name)
		c = unauthorised
	case p.Version == mqtt.V5 && (code == 0x88 || code == 0x89 || code == 0x97 || code == 0x9F), p.Version != mqtt.V5 && code == 3:
		c = busy
	case code == 0x9C || code == 0x9D:
		d.follow(p)
		if d.has("server-reference-anywhere") {
			c = tryOther
		}
	}
	d.end(why, c, 0)
	if c == busy && d.has("connack-busy-gives-up") || c == unauthorised && d.has("auth-gives-up") {
		d.retryAt = never
	}
}

// subscribe asks for the device's own topics.
func (d *Device) subscribe() {
	l := d.link
	d.resubAt = 0
	l.subID = d.set.Session.nextID()
	l.subTill = d.up + subackWait
	l.queue(&mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: l.subID, Filters: d.filters()})
}

func (d *Device) filters() []mqtt.Subscription {
	if d.has("subscribe-everything") {
		return []mqtt.Subscription{{Filter: "thermostat/+/command", QoS: 1}, {Filter: "thermostat/+/config", QoS: 2}}
	}
	return []mqtt.Subscription{
		{Filter: d.cfg.topic("command"), QoS: 1, RetainAsPublished: true}, // to know a command that will come again
		{Filter: d.cfg.topic("config"), QoS: 2},
	}
}

// subscribed handles SUBACK. A refusal is reported, on the console and as status, and asked for again later.
func (d *Device) subscribed(p *mqtt.Packet) {
	l := d.link
	if p.ID != l.subID || l.subID == 0 {
		return
	}
	l.subID = 0
	refused := len(p.Codes) != len(d.filters())
	for i, f := range d.filters() {
		switch {
		case i >= len(p.Codes):
		case p.Codes[i] >= 0x80:
			if refused = !d.has("suback-refused-ignored"); refused {
				d.con.say("subscription refused %s: %s", f.Filter, mqtt.CodeName(mqtt.SUBACK, l.version, p.Codes[i]))
			}
		case p.Codes[i] < f.QoS:
			d.con.say("subscription downgraded %s: QoS %d", f.Filter, p.Codes[i])
			if d.has("suback-downgraded-hangs") {
				d.wedged = true
			}
		}
	}
	d.set.Session.Subscribed = !refused
	d.flaw.subscribedOnce = true
	d.dirty = true
	switch {
	case refused:
		d.resubs++
		d.resubAt = d.up + min(15*time.Second<<min(d.resubs, 6), 15*time.Minute)
		d.statusIs = "degraded"
	case d.resubs > 0:
		d.resubs = 0
		d.statusIs = "online"
	default:
		d.announce()
	}
}

// requeue puts messages of a lost session before those that were never sent. State and status are made anew.
func (d *Device) requeue(unsent []message) {
	var events []message
	var backlog []reading
	for _, m := range unsent {
		switch m.Kind {
		case event:
			events = append(events, m)
		case telemetry:
			if r, err := decodeReading(m.Payload); err == nil {
				backlog = append(backlog, r)
			}
		case state:
			d.stateDue = true
		case local:
			d.localDue = true
		}
	}
	d.set.Events = slices.Concat(events, d.set.Events)
	d.set.Backlog = slices.Concat(backlog, d.set.Backlog)
	d.trim()
	d.dirty = true
}

// drop reports a message that is given up.
func (d *Device) drop(m message, why string) {
	d.con.say("message dropped %s: %s", m.Kind, why)
	d.dirty = true
}

// describeEnd says how a read ended.
func describeEnd(err error) string { return fmt.Sprintf("connection ended: %v", err) }
