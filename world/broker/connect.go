package broker

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// introduce notes who the client says it is, before rules see its CONNECT.
func (c *Conn) introduce(p *mqtt.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connect, c.id = p, p.Connect.ClientID
	c.version = mqtt.V311
	if p.Connect.Level >= mqtt.V5 {
		c.version = mqtt.V5
	}
}

func (c *Conn) handleConnect(p *mqtt.Packet) bool {
	o, k, v5 := c.b.options(), p.Connect, c.Version() == mqtt.V5
	c.greeted = true
	if !o.accepts(k.Level) {
		return c.refuse(0x84)
	}
	if v5 && p.Props.Has(mqtt.AuthMethod) {
		return c.refuse(0x8C)
	}
	if k.ClientID == "" && !v5 && !k.Clean { // [MQTT-3.1.3-8]
		return c.refuse(0x85)
	}
	if k.ClientID == "" {
		c.assignID()
	}
	if o.Authenticate != nil {
		if code := o.Authenticate(k, c.nc); code != 0 {
			return c.refuse(code)
		}
	}
	if w := k.Will; w != nil {
		switch {
		case w.QoS > o.maximumQoS():
			return c.refuse(0x9B)
		case w.Retain && o.NoRetain:
			return c.refuse(0x9A)
		case o.Authorize != nil && !o.Authorize(c, true, w.Topic):
			return c.refuse(0x87)
		}
	}
	seconds := k.KeepAlive
	if v5 && o.ServerKeepAlive > 0 {
		seconds = o.ServerKeepAlive
	}
	c.patience, c.limits = patience(seconds), o.Capabilities
	if o.Patient {
		c.patience = 0
	}
	if code := c.b.attach(c, p); code != 0 {
		return c.refuse(code)
	}
	return true
}

func (c *Conn) assignID() {
	c.b.mu.Lock()
	c.b.serial++
	id := fmt.Sprintf("assigned-%d", c.b.serial)
	c.b.mu.Unlock()
	c.mu.Lock()
	c.id = id
	c.mu.Unlock()
}

// refuse answers CONNECT with a reason code of 5.0, or what comes nearest to it in 3.1.1, and ends the connection.
func (c *Conn) refuse(code byte) bool {
	c.greeted = true
	if c.Version() != mqtt.V5 {
		code = returnCode(code)
	}
	c.send(&mqtt.Packet{Type: mqtt.CONNACK, Code: code})
	c.finish(fin)
	return false
}

// returnCode is the CONNACK return code of 3.1.1 (section 3.2.2.3) for a reason code of 5.0.
func returnCode(code byte) byte {
	switch code {
	case 0x84:
		return 1
	case 0x85:
		return 2
	case 0x80, 0x88, 0x89, 0x97, 0x9F:
		return 3
	case 0x86:
		return 4
	}
	return 5
}

// attach gives c its session, new or resumed, and answers CONNECT. It returns 0 or the reason against it.
func (b *Broker) attach(c *Conn, p *mqtt.Packet) byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0x88
	}
	id, k, v5 := c.ClientID(), p.Connect, c.Version() == mqtt.V5
	if s := b.sessions[id]; s != nil && s.conn != nil {
		b.takeOver(s)
	}
	s := b.sessions[id]
	if s != nil && k.Clean {
		b.drop(s)
		s = nil
	}
	present := s != nil
	if s == nil {
		if len(b.sessions) >= maxSessions {
			return 0x97
		}
		b.serial++
		s = &session{id: id, serial: b.serial}
		b.sessions[id] = s
	}
	s.wake()
	wish := p.Props.Int(mqtt.SessionExpiry, 0)
	if !v5 {
		wish = 0
		if !k.Clean {
			wish = endless
		}
	}
	s.expiry = wish
	if v5 {
		s.expiry = capped(wish, b.opts.MaxSessionExpiry)
	}
	s.window, s.maxPacket = window, 0
	if v5 {
		s.window = min(window, int(p.Props.Int(mqtt.ReceiveMaximum, 0xFFFF)))
		s.maxPacket = int(p.Props.Int(mqtt.MaximumPacketSize, 0))
	}
	s.conn, c.session, c.will = c, s, k.Will
	ack := &mqtt.Packet{Type: mqtt.CONNACK, SessionPresent: present}
	if v5 {
		ack.Props = c.limits.announce()
		if k.ClientID == "" {
			ack.Props = append(ack.Props, mqtt.Property{ID: mqtt.AssignedClientID, Text: id})
		}
		if s.expiry != wish {
			ack.Props = append(ack.Props, mqtt.Property{ID: mqtt.SessionExpiry, Int: s.expiry})
		}
	}
	c.send(ack)
	b.resume(s)
	return 0
}

// endless is the session expiry interval of a session that does not expire (section 3.1.2.11.2).
const endless = 0xFFFFFFFF

// capped is a session expiry of at most limit seconds, if there is a limit.
func capped(seconds, limit uint32) uint32 {
	if limit > 0 {
		return min(seconds, limit)
	}
	return seconds
}

func lifetime(seconds uint32) time.Duration {
	if seconds == endless {
		return Forever
	}
	return time.Duration(seconds) * time.Second
}
