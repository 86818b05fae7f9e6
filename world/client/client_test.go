package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is a broker on the loopback and a log of what clients see.
type bed struct {
	*broker.Broker
	t     *testing.T
	addr  string
	clock *clock.Clock
	log   *evidence.Log
	n     int
}

func open(t *testing.T) *bed {
	t.Helper()
	clk := clock.New(10)
	b := &bed{t: t, clock: clk, log: evidence.NewLog(clk.Now, nil, false)}
	b.Broker = broker.New(broker.Options{Part: "cloud", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = l.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go b.Serve(nc)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done; b.Close() })
	return b
}

func (b *bed) dial(id string, change func(*Options)) *Conn {
	b.t.Helper()
	b.n++
	o := Options{Addr: b.addr, Version: mqtt.V5, ClientID: id, Clean: true, KeepAlive: 60, Number: b.n, Part: "cloud", Clock: b.clock, Log: b.log}
	if change != nil {
		change(&o)
	}
	c, err := Dial(b.t.Context(), o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

func (b *bed) join(id string, change func(*Options)) *Conn {
	b.t.Helper()
	c := b.dial(id, change)
	if ack, err := c.Connect(b.t.Context()); err != nil || ack.Code != 0 {
		b.t.Fatalf("connect %s: %v, %v", id, ack.Packet, err)
	}
	return c
}

func TestPublishAndSubscribeWithEveryQoS(t *testing.T) {
	for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
		b, ctx := open(t), t.Context()
		speak := func(o *Options) { o.Version = v }
		reader, writer := b.join("reader", speak), b.join("writer", speak)
		if codes, err := reader.Subscribe(ctx, mqtt.Subscription{Filter: "a/#", QoS: 2}); err != nil || len(codes) != 1 || codes[0] != 2 {
			t.Fatalf("%s: subscribe: %v, %v", v, codes, err)
		}
		for qos := range byte(3) {
			if _, err := writer.Publish(ctx, mqtt.Packet{Topic: "a/b", QoS: qos, Payload: []byte{'0' + qos}}); err != nil {
				t.Fatalf("%s: publish with QoS %d: %v", v, qos, err)
			}
		}
		got, err := reader.AwaitMessages(ctx, 20*time.Second, 3)
		if err != nil {
			t.Fatalf("%s: %v after %v", v, err, got)
		}
		for i, m := range got {
			if m.QoS != byte(i) || string(m.Payload) != string(rune('0'+i)) {
				t.Errorf("%s: message %d is %s", v, i, m.Packet)
			}
		}
		if err := reader.Unsubscribe(ctx, "a/#"); err != nil {
			t.Errorf("%s: unsubscribe: %v", v, err)
		}
		if err := reader.Ping(ctx, 10*time.Second); err != nil {
			t.Errorf("%s: ping: %v", v, err)
		}
	}
}

func TestHeldAcknowledgementsLeaveMessagesInFlight(t *testing.T) {
	b, ctx := open(t), t.Context()
	c := b.join("c", nil)
	if _, err := c.Subscribe(ctx, mqtt.Subscription{Filter: "a", QoS: 1}); err != nil {
		t.Fatal(err)
	}
	c.Hold()
	b.Publish(broker.Message{Topic: "a", QoS: 1})
	if _, err := c.AwaitMessages(ctx, 20*time.Second, 1); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(ctx, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if s, _ := b.Session("c"); s.InFlight != 1 {
		t.Errorf("%d messages in flight, want 1", s.InFlight)
	}
}

func TestQoS2MessageCountsOnce(t *testing.T) {
	b, ctx := open(t), t.Context()
	c := b.join("c", nil)
	b.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBLISH, Do: broker.Repeat(2, 0)})
	if _, err := c.Subscribe(ctx, mqtt.Subscription{Filter: "a", QoS: 2}); err != nil {
		t.Fatal(err)
	}
	c.Hold()
	b.Publish(broker.Message{Topic: "a", QoS: 2})
	if err := c.Quiet(ctx, time.Second); err != nil {
		t.Fatal(err)
	}
	if sent, got := c.Count(mqtt.PUBLISH), len(c.Messages()); sent != 3 || got != 1 {
		t.Errorf("%d PUBLISH packets count as %d messages, want 3 as 1", sent, got)
	}
}

func TestEndings(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*bed, *Conn)
		want string // and what it may also be, when both sides close
	}{
		{"broker closes", func(b *bed, c *Conn) { b.Conn("c").Close() }, "peer fin"},
		{"broker resets", func(b *bed, c *Conn) { b.Conn("c").Reset() }, "peer reset"},
		{"we close", func(b *bed, c *Conn) { c.Close() }, "we fin"},
		{"we reset", func(b *bed, c *Conn) { c.Reset() }, "we reset"},
		{"we say goodbye", func(b *bed, c *Conn) { c.Disconnect(0) }, "we fin, peer fin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t)
			conn := b.join("c", nil)
			c.end(b, conn)
			end, err := conn.AwaitClose(t.Context(), 20*time.Second)
			if err != nil || !strings.Contains(c.want, end.By) {
				t.Errorf("ended %q, %v; want %q", end.By, err, c.want)
			}
			if _, err := conn.Publish(t.Context(), mqtt.Packet{Topic: "a", QoS: 1}); !errors.Is(err, ErrClosed) {
				t.Errorf("publish afterwards: %v, want ErrClosed", err)
			}
		})
	}
}

func TestPingsKeepTheConnectionUntilSilence(t *testing.T) {
	b := open(t)
	c := b.join("c", func(o *Options) { o.KeepAlive = 2 })
	if _, err := c.AwaitClose(t.Context(), 5*time.Second); !errors.Is(err, ErrNoAnswer) {
		t.Fatalf("closed although it pings: %v", c.Ended())
	}
	c.Silence()
	if _, err := c.AwaitClose(t.Context(), 10*time.Second); err != nil {
		t.Errorf("not closed although it is silent: %v", err)
	}
}

func TestUndecodablePacketIsBad(t *testing.T) {
	b := open(t)
	c := b.join("c", nil)
	if err := b.Conn("c").SendRaw("PUBLISH with QoS 3", mqtt.Frame(0x36, []byte("\x00\x01a\x00\x01"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	e, err := b.log.Await(ctx, 0, func(e evidence.Event) bool { return e.Kind == evidence.Bad })
	if err != nil || e.Conn != c.Number() {
		t.Errorf("event %v, %v; want a bad one of connection %d", e, err, c.Number())
	}
}
