package broker

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is a broker and its log. Device time runs fast, so that timers can be seen to pass.
type bed struct {
	t   *testing.T
	log *evidence.Log
	*Broker
}

func open(t *testing.T, speed float64, change func(*Options)) *bed {
	t.Helper()
	clk := clock.New(speed)
	o := Options{Part: "cloud", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)}
	if change != nil {
		change(&o)
	}
	b := &bed{t: t, log: o.Log, Broker: New(o)}
	t.Cleanup(b.Close)
	return b
}

// await waits for an event of a kind whose text or packet fits.
func (b *bed) await(mark int, match func(evidence.Event) bool) evidence.Event {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	e, err := b.log.Await(ctx, mark, match)
	if err != nil {
		b.t.Fatalf("await event: %v; log: %v", err, b.log.Since(0))
	}
	return e
}

// client is a raw MQTT client: it sends what it is told and says what comes.
type client struct {
	t  *testing.T
	nc net.Conn
	rd *mqtt.Reader
	v  mqtt.Version
}

func (b *bed) dial(v mqtt.Version) *client {
	b.t.Helper()
	here, there := net.Pipe()
	go b.Serve(there)
	b.t.Cleanup(func() { _ = here.Close() })
	return &client{t: b.t, nc: here, rd: mqtt.NewReader(here, 4<<20), v: v}
}

// connect dials and connects with a clean session, unless change says otherwise.
func (b *bed) connect(v mqtt.Version, id string, change func(*mqtt.Packet)) (*client, *mqtt.Packet) {
	b.t.Helper()
	c := b.dial(v)
	p := &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: v, Clean: true, ClientID: id}}
	if change != nil {
		change(p)
	}
	c.send(p)
	ack := c.next()
	if ack == nil || ack.Type != mqtt.CONNACK {
		b.t.Fatalf("CONNECT answered with %v", ack)
	}
	return c, ack
}

func (c *client) send(p *mqtt.Packet) {
	c.t.Helper()
	p.Version = c.v
	c.raw(p.Bytes())
}

func (c *client) raw(raw []byte) {
	c.t.Helper()
	_ = c.nc.SetWriteDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.nc.Write(raw); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// next returns the next packet, or nil when the connection has ended.
func (c *client) next() *mqtt.Packet {
	c.t.Helper()
	_ = c.nc.SetReadDeadline(time.Now().Add(5 * time.Second))
	raw, err := c.rd.Next()
	if e, ok := err.(net.Error); ok && e.Timeout() {
		c.t.Fatal("no packet came")
	}
	if err != nil {
		return nil
	}
	p, err := mqtt.Decode(raw, c.v)
	if err != nil {
		c.t.Fatalf("broker sent % x: %v", raw, err)
	}
	return p
}

// want takes the next packet and compares its line for people.
func (c *client) want(line string) *mqtt.Packet {
	c.t.Helper()
	p := c.next()
	if got := show(p); got != line {
		c.t.Fatalf("got %s, want %s", got, line)
	}
	return p
}

// quiet shows by a ping that nothing else was sent.
func (c *client) quiet() {
	c.t.Helper()
	c.send(&mqtt.Packet{Type: mqtt.PINGREQ})
	c.want("PINGRESP")
}

func (c *client) subscribe(filters ...mqtt.Subscription) *mqtt.Packet {
	c.t.Helper()
	c.send(&mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 9, Filters: filters})
	ack := c.next()
	if ack == nil || ack.Type != mqtt.SUBACK {
		c.t.Fatalf("SUBSCRIBE answered with %s", show(ack))
	}
	return ack
}

func (c *client) ack(t mqtt.Type, id uint16) { c.t.Helper(); c.send(&mqtt.Packet{Type: t, ID: id}) }

// show is a packet in the few words that tests compare.
func show(p *mqtt.Packet) string {
	if p == nil {
		return "end"
	}
	s := p.Type.String()
	switch p.Type {
	case mqtt.PUBLISH:
		s += fmt.Sprintf(" q%d", p.QoS)
		if p.Dup {
			s += " dup"
		}
		if p.Retain {
			s += " retain"
		}
		s += fmt.Sprintf(" %s=%s", p.Topic, p.Payload)
	case mqtt.CONNACK:
		s += fmt.Sprintf(" %02X", p.Code)
		if p.SessionPresent {
			s += " present"
		}
	case mqtt.SUBACK, mqtt.UNSUBACK:
		s += fmt.Sprintf(" %X", p.Codes)
	case mqtt.DISCONNECT, mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP:
		if p.Code != 0 {
			s += fmt.Sprintf(" %02X", p.Code)
		}
	}
	return s
}

func message(topic, payload string, qos byte) *mqtt.Packet {
	p := &mqtt.Packet{Type: mqtt.PUBLISH, Topic: topic, Payload: []byte(payload), QoS: qos}
	if qos > 0 {
		p.ID = 100
	}
	return p
}

func number(id mqtt.PropID, n uint32) mqtt.Property { return mqtt.Property{ID: id, Int: n} }

func both(t *testing.T, f func(t *testing.T, v mqtt.Version)) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		t.Run(v.String(), func(t *testing.T) { f(t, v) })
	}
}
