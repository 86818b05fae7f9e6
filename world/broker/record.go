package broker

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

const (
	bulk = 1024 // bytes that make a packet large, once maxLogged is reached
	head = 256  // bytes of its payload and topic that are still logged
)

// Sent returns the packet of an Out event, if it is one of type t.
func Sent(e evidence.Event, t mqtt.Type) (*mqtt.Packet, bool) { return of(e, evidence.Out, t) }

// Got returns the packet of an In event, if it is one of type t.
func Got(e evidence.Event, t mqtt.Type) (*mqtt.Packet, bool) { return of(e, evidence.In, t) }

// Willed returns the message of an event that tells of a published will.
func Willed(e evidence.Event) (*mqtt.Packet, bool) { return of(e, evidence.Seen, mqtt.PUBLISH) }

func of(e evidence.Event, kind evidence.Kind, t mqtt.Type) (*mqtt.Packet, bool) {
	p, ok := e.Data.(*mqtt.Packet)
	if e.Kind != kind || !ok || p == nil || p.Type != t {
		return nil, false
	}
	return p, true
}

// record logs a packet, or with p nil raw bytes that what describes.
func (c *Conn) record(kind evidence.Kind, p *mqtt.Packet, what string, raw []byte) {
	e := evidence.Event{Part: c.b.part, Conn: c.number, Kind: kind, Text: what, Size: len(raw), Hex: prefix(raw)}
	if p != nil {
		e.Data = c.b.copied(p, len(raw))
		if what == "" {
			e.Text = p.String()
		}
	}
	c.b.log.Add(e)
}

// copied is p for the log: whole until maxLogged bytes were logged, then a large packet without its bulk. Checks judge what comes
// before; a part that sends that much is out to fill memory.
func (b *Broker) copied(p *mqtt.Packet, size int) *mqtt.Packet {
	own := *p
	if b.kept.Add(int64(size)) <= maxLogged || size <= bulk {
		return &own
	}
	own.Payload = bytes.Clone(p.Payload[:min(len(p.Payload), head)])
	own.Topic = strings.Clone(p.Topic[:min(len(p.Topic), head)])
	own.Props, own.Filters, own.Codes = nil, nil, nil
	if k := p.Connect; k != nil {
		own.Connect = &mqtt.Connect{
			Protocol: "MQTT", Level: k.Level, Clean: k.Clean, KeepAlive: k.KeepAlive,
			ClientID: strings.Clone(k.ClientID[:min(len(k.ClientID), head)]),
		}
	}
	return &own
}

func prefix(raw []byte) string { return hex.EncodeToString(mqtt.Redacted(raw)) }

// malformed deals with bytes that do not decode: log what is wrong, then end the connection as the standard says.
func (c *Conn) malformed(raw []byte, err error) bool {
	var bad *mqtt.Error
	if !errors.As(err, &bad) {
		bad = &mqtt.Error{Reason: err.Error(), Code: 0x81}
	}
	p, all := mqtt.DecodeLenient(raw, c.Version())
	if p != nil && p.Type == mqtt.CONNECT && p.Connect != nil && !c.greeted {
		c.introduce(p)
		c.logBad(bad, all, p, raw)
		code := bad.Code
		if !c.b.options().accepts(p.Connect.Level) {
			code = 0x84
		}
		// 3.1.1 answers only a wrong level and a wrong client id; on any other error it just closes [MQTT-3.1.4-1].
		if c.Version() == mqtt.V5 || code == 0x84 || code == 0x85 {
			return c.refuse(code)
		}
		c.finish(fin)
		return false
	}
	c.logBad(bad, all, p, raw)
	c.disconnect(bad.Code)
	return false
}

// violation logs what the client did wrong and ends the connection. It reports false.
func (c *Conn) violation(bad *mqtt.Error, raw []byte) bool {
	c.logBad(bad, nil, nil, raw)
	c.disconnect(bad.Code)
	return false
}

func (c *Conn) logBad(bad *mqtt.Error, all []*mqtt.Error, p *mqtt.Packet, raw []byte) {
	text := describe(bad)
	for _, other := range all[:min(len(all), 8)] {
		if *other != *bad {
			text += "; " + describe(other)
		}
	}
	e := evidence.Event{Part: c.b.part, Conn: c.number, Kind: evidence.Bad, Text: text, Size: len(raw)}
	if len(raw) > 0 {
		e.Hex = prefix(raw)
	}
	if p != nil {
		e.Data = c.b.copied(p, len(raw))
	}
	c.b.log.Add(e)
}

func describe(bad *mqtt.Error) string {
	text := fmt.Sprintf("%s at offset %d", bad.Reason, bad.Offset)
	if bad.Statement != "" {
		text += " [" + bad.Statement + "]"
	}
	return text
}
