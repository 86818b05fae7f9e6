package client

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

const (
	shown    = 4096  // bytes of a payload or topic that an event keeps
	maxKept  = 20000 // packets that a connection keeps; a broker that sends more is cut off
	hexShown = 64    // bytes in the hex of an event
)

// read takes packets until the connection ends.
func (c *Conn) read() {
	defer close(c.done)
	rd := mqtt.NewReader(c.nc, maxPacket)
	for {
		c.reads()
		raw, err := rd.Next()
		if err != nil {
			c.ended(raw, err)
			return
		}
		p, err := mqtt.Decode(raw, c.o.Version)
		if err != nil {
			c.bad(raw, err)
			if p, _ = mqtt.DecodeLenient(raw, c.o.Version); p == nil {
				continue
			}
		}
		n := -1
		if err == nil {
			n = c.record(evidence.In, p, "", raw)
		}
		if !c.take(Received{Packet: p, N: n, At: c.o.Clock.Now()}) {
			c.ended(nil, errors.New("more packets than are kept"))
			c.nc.Close()
			return
		}
		c.answer(p)
	}
}

// take keeps a packet and tells those who wait. It reports false when too many have come.
func (c *Conn) take(r Received) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, r)
	switch r.Type {
	case mqtt.PUBLISH:
		c.message(r)
	case mqtt.PUBREL:
		delete(c.pending, r.ID)
	}
	close(c.changed)
	c.changed = make(chan struct{})
	return len(c.got) < maxKept
}

// message keeps a PUBLISH for the application, unless it is the repetition of a QoS 2 message. A topic alias is resolved (section
// 3.3.2.3.4). The lock is held.
func (c *Conn) message(r Received) {
	if r.QoS == 2 && c.pending[r.ID] {
		return
	}
	if r.QoS == 2 {
		c.pending[r.ID] = true
	}
	if alias := r.Props.Int(mqtt.TopicAlias, 0); alias > 0 {
		if r.Topic != "" {
			c.aliases[alias] = r.Topic
		} else {
			own := *r.Packet
			own.Topic = c.aliases[alias]
			r.Packet = &own
		}
	}
	c.msgs = append(c.msgs, r)
}

// answer sends the acknowledgement that p asks for.
func (c *Conn) answer(p *mqtt.Packet) {
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held {
		return
	}
	ack := &mqtt.Packet{ID: p.ID}
	switch {
	case p.Type == mqtt.PUBLISH && p.QoS == 1:
		ack.Type = mqtt.PUBACK
	case p.Type == mqtt.PUBLISH && p.QoS == 2:
		ack.Type = mqtt.PUBREC
	case p.Type == mqtt.PUBREL:
		ack.Type = mqtt.PUBCOMP
	case p.Type == mqtt.PUBREC && p.Code < 0x80:
		ack.Type = mqtt.PUBREL
	default:
		return
	}
	_ = c.Send(ack) // a connection that has ended is noticed by its reader
}

// ended notes how the connection ended.
func (c *Conn) ended(raw []byte, err error) {
	var bad *mqtt.Error
	if errors.As(err, &bad) {
		c.bad(raw, err)
		c.nc.Close()
	}
	c.mu.Lock()
	by := c.ours
	c.mu.Unlock()
	switch {
	case by != "":
	case bad != nil:
		by = "we fin"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		by = "peer fin"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		by = "peer reset"
	case errors.Is(err, os.ErrClosed):
		by = "we fin"
	default:
		by = "error: " + err.Error()
	}
	e := Ending{By: by, At: c.o.Clock.Now()}
	e.N = c.o.Log.Add(evidence.Event{Part: c.o.Part, Conn: c.o.Number, Kind: evidence.Close, Text: by, At: e.At})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = &e
	if c.pinger != nil {
		c.pinger.Stop()
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// keepAlive sends pings in half the time that the broker allows.
func (c *Conn) keepAlive(seconds uint16) {
	if seconds == 0 {
		return
	}
	pause := time.Duration(seconds) * time.Second / 2
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil || c.ours != "" {
		return
	}
	c.pinger = c.o.Clock.AfterFunc(pause, func() {
		if c.Ended() == nil && c.Send(&mqtt.Packet{Type: mqtt.PINGREQ}) == nil {
			c.keepAlive(seconds)
		}
	})
}

func (c *Conn) bad(raw []byte, err error) {
	c.o.Log.Add(evidence.Event{
		Part: c.o.Part, Conn: c.o.Number, Kind: evidence.Bad, Text: err.Error(), Size: len(raw), Hex: prefix(raw),
	})
}

// record logs a packet, or with p nil raw bytes that what describes; a large payload or topic is cut.
func (c *Conn) record(kind evidence.Kind, p *mqtt.Packet, what string, raw []byte) int {
	e := evidence.Event{Part: c.o.Part, Conn: c.o.Number, Kind: kind, Text: what, Size: len(raw), Hex: prefix(raw)}
	if p != nil {
		own := *p
		own.Payload = slices.Clip(bytes.Clone(p.Payload[:min(len(p.Payload), shown)]))
		own.Topic = p.Topic[:min(len(p.Topic), shown)]
		e.Data, e.Text = &own, own.String()
	}
	return c.o.Log.Add(e)
}

func prefix(raw []byte) string {
	raw = mqtt.Redacted(raw)
	return hex.EncodeToString(raw[:min(len(raw), hexShown)])
}
