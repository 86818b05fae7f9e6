package device

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// never is later than any uptime.
const never = time.Duration(1<<63 - 1)

// online reports whether the server accepted the device on the present connection.
func (d *Device) online() bool { return d.link != nil && d.link.serving }

// advance does what is due by the time alone.
func (d *Device) advance() {
	if d.wedged || d.fate != nil {
		return
	}
	d.sample()
	d.keepTime()
	if d.has("ipv6-freezes") && d.cfg.Net != nil && len(d.cfg.Net.Auto()) > 0 {
		d.wedged = true
		return
	}
	l := d.link
	switch {
	case l == nil && d.dial == nil:
		if d.up >= d.retryAt && !d.timeHeld() && d.net.ready() {
			d.startDial()
		}
	case l == nil:
	case d.net.lost(l):
		d.end("the address is gone", dropped, 0)
	case !l.serving:
		if d.up >= l.greetTill && !d.has("no-connack-timeout") && !d.has("garbage-hangs") {
			d.end("no CONNACK", dropped, 0)
		}
	default:
		d.advanceLink()
	}
	d.advanceAPI()
	d.advanceFlawed()
}

// advanceLink watches a connection that serves.
func (d *Device) advanceLink() {
	l := d.link
	if l.subID != 0 && d.up >= l.subTill && !d.has("suback-missing-ignored") {
		d.end("no SUBACK", dropped, 0)
		return
	}
	if d.resubAt != 0 && d.up >= d.resubAt {
		d.subscribe()
	}
	if l.pinged != 0 && d.up >= l.pinged+d.pingPatience(l.keepAlive) && !d.has("ping-no-timeout") {
		d.end("server does not answer", dropped, 0)
		return
	}
	if l.pinged == 0 && d.up >= d.pingAt() {
		l.queue(&mqtt.Packet{Type: mqtt.PINGREQ})
		l.pinged = d.up
	}
}

// pingAt is when the next PINGREQ is due: when nothing was sent for three quarters of the keep-alive [MQTT-3.1.2-20 v5], and also
// when nothing was heard for as long, because what the device sends itself does not show that anyone listens.
func (d *Device) pingAt() time.Duration {
	l := d.link
	if l.keepAlive == 0 || d.has("ping-never") {
		return never
	}
	return min(l.sentAt, l.heardAt) + l.keepAlive*3/4
}

// next is the uptime at which advance has something to do.
func (d *Device) next() time.Duration {
	at := min(d.sampleAt, d.nextAPI())
	if len(d.clock.servers) > 0 && d.clock.done == nil && d.net.ready() {
		at = min(at, d.clock.at)
	}
	l := d.link
	switch {
	case l == nil && d.dial == nil && !d.net.ready():
		at = min(at, d.net.readyAt(d.up))
	case l == nil && d.dial == nil && d.timeHeld():
		at = min(at, d.clock.at+holdAtMost)
	case l == nil && d.dial == nil:
		at = min(at, d.retryAt)
	case l == nil:
	case !l.serving:
		at = min(at, max(l.greetTill, d.up+time.Second))
	default:
		at = min(at, max(d.pingAt(), d.up+time.Second/10))
		at = min(at, max(d.lateAt(), d.up+time.Second/100))
		if l.pinged != 0 {
			at = min(at, max(l.pinged+l.keepAlive/2, d.up+time.Second/10))
		}
		if l.subID != 0 {
			at = min(at, max(l.subTill, d.up+time.Second))
		}
		if d.resubAt != 0 {
			at = min(at, d.resubAt)
		}
		if len(d.set.Backlog) > 0 && d.drainAt > d.up {
			at = min(at, d.drainAt)
		}
		if d.holdTill > d.up {
			at = min(at, d.holdTill)
		}
	}
	return at
}

// end closes the present connection for a reason of the device's own and sets the next attempt. In 5.0 the server is told code first,
// unless it is 0.
func (d *Device) end(why string, c cause, code byte) {
	l := d.link
	if l == nil {
		return
	}
	if code != 0 && l.version == mqtt.V5 && l.serving {
		l.queue(&mqtt.Packet{Type: mqtt.DISCONNECT, Code: code})
		why = fmt.Sprintf("%s (told the server %s)", why, mqtt.CodeName(mqtt.DISCONNECT, mqtt.V5, code))
		d.lastWord()
	}
	var lasted time.Duration
	if l.serving {
		lasted = max(d.up-l.since, 1)
	}
	d.closeLink()
	d.endFlawed()
	d.retry(why, c, lasted)
}

// goodbye ends the connection in the orderly way, so that the server does not publish the will [MQTT-3.14.4-3]. The status that the
// will would have set is published by the device itself.
func (d *Device) goodbye() {
	if d.online() && !d.wedged && !d.has("disconnect-missing") {
		d.link.queue(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: d.cfg.topic("status"), Payload: []byte("offline"), Retain: d.link.retain})
		d.link.queue(&mqtt.Packet{Type: mqtt.DISCONNECT})
		d.lastWord()
	}
	d.closeLink()
	if d.dirty {
		if err := d.sto.save(&d.set); err != nil {
			d.con.say("settings not stored: %v", err)
		}
		d.dirty = false
	}
	d.con.say("offline: stopped")
}

// lastWord writes what is queued and lets the server close first. Acknowledgements that are on their way still count.
func (d *Device) lastWord() {
	if d.write() != nil {
		return
	}
	d.link.linger(d.cfg.Clock, func(in inbound) {
		p, err := mqtt.Decode(in.raw, d.link.version)
		if err != nil || p.Type != mqtt.PUBACK || p.Code >= 0x80 {
			return
		}
		if _, ok := d.set.Session.take(p.ID); ok {
			d.dirty = true
		}
	})
}

// flush writes what is queued.
func (d *Device) flush() {
	if d.link == nil || len(d.link.out) == 0 {
		return
	}
	if err := d.write(); err != nil {
		d.end(fmt.Sprintf("write: %v", err), dropped, 0)
	}
}

// write sends the queued bytes within writeWait.
func (d *Device) write() error {
	l := d.link
	if len(l.out) == 0 {
		return nil
	}
	if err := l.conn.SetWriteDeadline(d.cfg.Clock.Deadline(writeWait)); err != nil {
		return err
	}
	_, err := l.conn.Write(l.out)
	l.out = l.out[:0]
	l.sentAt = d.up
	return err
}

// pingPatience is how long the answer to a ping may take.
func (d *Device) pingPatience(keepAlive time.Duration) time.Duration {
	if d.has("ping-timeout-long") {
		return 3 * keepAlive
	}
	return keepAlive / 2
}
