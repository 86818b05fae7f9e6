package broker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// readLoop handles packets until the connection ends or is to be ended.
func (c *Conn) readLoop() {
	rd := mqtt.NewReader(c.nc, c.b.options().MaxPacket)
	_ = c.nc.SetReadDeadline(c.b.clock.Deadline(connectWait))
	for {
		raw, err := rd.Next()
		if err != nil {
			c.broken(raw, err)
			return
		}
		if !c.incoming(raw) {
			break
		}
		if c.greeted {
			_ = c.nc.SetReadDeadline(c.b.clock.Deadline(c.patience))
		}
		if c.ctx.Err() != nil {
			return
		}
	}
	// The writer closes when it has sent the last word. Until then bytes are taken off, because a close with bytes unread is a RST
	// that can destroy the last word.
	_, _ = io.Copy(io.Discard, c.nc)
}

// broken deals with the end of reading.
func (c *Conn) broken(raw []byte, err error) {
	var bad *mqtt.Error
	switch {
	case errors.As(err, &bad):
		c.violation(bad, raw)
		_, _ = io.Copy(io.Discard, c.nc)
	case c.ctx.Err() != nil || !errors.Is(err, os.ErrDeadlineExceeded):
	case !c.greeted:
		c.b.seen(c, fmt.Sprintf("no CONNECT within %.0f s", connectWait.Seconds()))
	default:
		c.b.seen(c, fmt.Sprintf("keep-alive %.0f s ×1.5 passed", c.patience.Seconds()/1.5))
		c.disconnect(0x8D)
	}
}

// incoming handles one packet. It reports false when the connection is to end.
func (c *Conn) incoming(raw []byte) bool {
	p, err := mqtt.Decode(raw, c.Version())
	if err != nil {
		return c.malformed(raw, err)
	}
	c.record(evidence.In, p, "", raw)
	if !c.greeted && p.Type != mqtt.CONNECT {
		return c.violation(&mqtt.Error{Reason: "the first packet is not CONNECT", Statement: "MQTT-3.1.0-1", Code: 0x82}, raw)
	}
	if c.greeted && p.Type == mqtt.CONNECT {
		return c.violation(&mqtt.Error{Reason: "a second CONNECT", Statement: "MQTT-3.1.0-2", Code: 0x82}, raw)
	}
	if !c.greeted {
		c.introduce(p)
	}
	if bad := c.admit(p, len(raw)); bad != nil {
		return c.violation(bad, raw)
	}
	own := *p
	ex := &Exchange{Conn: c, Dir: In, Packet: &own}
	c.b.rules.consult(ex)
	more := true
	switch {
	case ex.dropped:
	case ex.answered:
		c.greeted = true
		for _, a := range ex.answers {
			_ = c.Send(a)
		}
	default:
		more = c.handle(ex.Packet)
	}
	c.settle(ex)
	if ex.end != stay {
		c.finish(ex.end)
		return false
	}
	return more
}

// admit checks a packet against the limits that CONNACK announced.
func (c *Conn) admit(p *mqtt.Packet, size int) *mqtt.Error {
	if limit := c.limits.MaximumPacketSize; limit > 0 && c.Version() == mqtt.V5 && size > int(limit) {
		return &mqtt.Error{
			Reason:    fmt.Sprintf("packet of %d bytes, the announced maximum is %d", size, limit),
			Statement: "MQTT-3.2.2-15", Code: 0x95,
		}
	}
	if p.Type != mqtt.PUBLISH || p.QoS == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unacked == nil {
		c.unacked = make(map[uint16]struct{})
	}
	c.unacked[p.ID] = struct{}{}
	if limit := c.limits.ReceiveMaximum; limit > 0 && c.version == mqtt.V5 && len(c.unacked) > int(limit) {
		return &mqtt.Error{
			Reason:    fmt.Sprintf("%d publications in flight, the announced receive maximum is %d", len(c.unacked), limit),
			Statement: "MQTT-3.3.4-7", Code: 0x93,
		}
	}
	return nil
}

// acknowledged notes that the client's publication is no longer in flight once p is sent.
func (c *Conn) acknowledged(p *mqtt.Packet) {
	if p.Type == mqtt.PUBACK || p.Type == mqtt.PUBCOMP || p.Type == mqtt.PUBREC && p.Code >= 0x80 {
		c.mu.Lock()
		delete(c.unacked, p.ID)
		c.mu.Unlock()
	}
}

// handle does what the standard says. It reports false when the connection is to end.
func (c *Conn) handle(p *mqtt.Packet) bool {
	switch p.Type {
	case mqtt.CONNECT:
		return c.handleConnect(p)
	case mqtt.PUBLISH:
		return c.handlePublish(p)
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP:
		c.handleAck(p)
	case mqtt.PUBREL:
		c.handleRelease(p)
	case mqtt.SUBSCRIBE:
		c.handleSubscribe(p)
	case mqtt.UNSUBSCRIBE:
		c.handleUnsubscribe(p)
	case mqtt.PINGREQ:
		c.send(&mqtt.Packet{Type: mqtt.PINGRESP})
	case mqtt.DISCONNECT:
		return c.handleDisconnect(p)
	default:
		return c.violation(&mqtt.Error{Reason: "a client does not send " + p.Type.String(), Code: 0x82}, nil)
	}
	return true
}

// handleDisconnect ends the connection. Only reason 0x00 discards the will [MQTT-3.14.4-3].
func (c *Conn) handleDisconnect(p *mqtt.Packet) bool {
	b := c.b
	b.mu.Lock()
	if c.live() {
		if p.Code == 0 {
			c.will = nil
		}
		if e := p.Props.Int(mqtt.SessionExpiry, c.session.expiry); c.Version() == mqtt.V5 && e != c.session.expiry {
			if c.session.expiry == 0 {
				b.mu.Unlock()
				return c.violation(&mqtt.Error{
					Reason:    "DISCONNECT sets a session expiry where CONNECT set none",
					Statement: "MQTT-3.14.2-2", Code: 0x82,
				}, nil)
			}
			c.session.expiry = capped(e, b.opts.MaxSessionExpiry)
		}
		b.detach(c)
	}
	b.mu.Unlock()
	c.finish(fin)
	return false
}

// patience is one and a half times the keep-alive in seconds [MQTT-3.1.2-22]; 0 is without end.
func patience(seconds uint16) time.Duration { return time.Duration(seconds) * time.Second * 3 / 2 }
