package cloud

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// wire stands between a client and the broker for the flaws that no rule of a sound broker can bring about: it takes packets off
// before the broker refuses them.
type wire struct {
	net.Conn
	c       *Cloud
	rd      *mqtt.Reader
	rest    []byte // of packets for the broker
	version mqtt.Version
	greeted atomic.Bool
	deaf    bool
}

// tamper wraps a connection if one of its flaws is planted.
func (c *Cloud) tamper(nc net.Conn) net.Conn {
	f := c.cfg.Flaws
	if f["cloud-one-writer"] {
		return &oneWriter{nc, c}
	}
	if f["cloud-waits-for-connect"] || f["cloud-second-connect"] || f["cloud-malformed-accepted"] || f["cloud-malformed-deaf"] || f["cloud-malformed-hurts"] {
		return &wire{Conn: nc, c: c, rd: mqtt.NewReader(nc, 4<<20), version: mqtt.V311}
	}
	return nc
}

// NetConn is the connection beneath.
func (w *wire) NetConn() net.Conn { return w.Conn }

// SetReadDeadline is the broker's wish; with the flaw of waiting it counts only after CONNECT.
func (w *wire) SetReadDeadline(t time.Time) error {
	if w.c.cfg.Flaws["cloud-waits-for-connect"] && !w.greeted.Load() {
		return nil
	}
	return w.Conn.SetReadDeadline(t)
}

func (w *wire) Read(b []byte) (int, error) {
	for len(w.rest) == 0 {
		raw, err := w.rd.Next()
		var bad *mqtt.Error
		if err != nil && !errors.As(err, &bad) {
			return 0, err
		}
		w.rest = w.pass(raw)
		if err != nil && len(w.rest) == 0 {
			<-w.c.closing // what follows cannot be cut into packets
			return 0, net.ErrClosed
		}
	}
	n := copy(b, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// pass is what the broker gets to see of a packet.
func (w *wire) pass(raw []byte) []byte {
	f := w.c.cfg.Flaws
	p, err := mqtt.Decode(raw, w.version)
	connect := err == nil && p.Type == mqtt.CONNECT
	switch {
	case w.deaf:
		return nil
	case f["cloud-waits-for-connect"] && !w.greeted.Load() && !connect:
		return nil
	case f["cloud-second-connect"] && w.greeted.Load() && connect:
		_, _ = w.Write((&mqtt.Packet{Type: mqtt.CONNACK, Version: w.version}).Bytes())
		return nil
	case err != nil && f["cloud-malformed-deaf"]:
		w.deaf = true
		return nil
	case err != nil && f["cloud-malformed-hurts"]:
		w.c.dropAll()
	case err != nil && f["cloud-malformed-accepted"]:
		if p, _ := mqtt.DecodeLenient(raw, w.version); p != nil && p.Type == mqtt.PUBLISH {
			w.c.broker.Publish(broker.Message{Topic: p.Topic, Payload: p.Payload})
		}
		return nil
	}
	if connect {
		w.version = p.Connect.Level
		w.greeted.Store(true)
	}
	return raw
}

// oneWriter is a connection of a cloud that writes to one client after the other, however long each takes.
type oneWriter struct {
	net.Conn
	c *Cloud
}

// NetConn is the connection beneath.
func (w *oneWriter) NetConn() net.Conn { return w.Conn }

func (w *oneWriter) Write(b []byte) (int, error) {
	w.c.writer.Lock()
	defer w.c.writer.Unlock()
	return w.Conn.Write(b)
}
