package broker

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestDelivers(t *testing.T) {
	both(t, func(t *testing.T, v mqtt.Version) {
		b := open(t, 1, nil)
		sub, _ := b.connect(v, "sub", nil)
		pub, _ := b.connect(v, "pub", nil)
		sub.subscribe(mqtt.Subscription{Filter: "a/#", QoS: 2})

		pub.send(message("a/0", "x", 0))
		sub.want("PUBLISH q0 a/0=x")
		pub.send(message("a/1", "y", 1))
		pub.want("PUBACK")
		sub.ack(mqtt.PUBACK, sub.want("PUBLISH q1 a/1=y").ID)
		pub.send(message("a/2", "z", 2))
		pub.want("PUBREC")
		again := message("a/2", "z", 2)
		again.Dup = true
		pub.send(again) // QoS 2: once only
		pub.want("PUBREC")
		pub.ack(mqtt.PUBREL, 100)
		pub.want("PUBCOMP")
		id := sub.want("PUBLISH q2 a/2=z").ID
		sub.ack(mqtt.PUBREC, id)
		sub.want("PUBREL")
		sub.ack(mqtt.PUBCOMP, id)
		sub.quiet()
		if s, _ := b.Session("sub"); s.InFlight != 0 || s.Queued != 0 {
			t.Errorf("session after all acknowledgements: %+v", s)
		}
		sub.send(&mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: 3, Filters: []mqtt.Subscription{{Filter: "a/#"}}})
		if ack := sub.next(); ack.Type != mqtt.UNSUBACK {
			t.Errorf("UNSUBSCRIBE answered with %s", show(ack))
		}
		if n := b.Publish(Message{Topic: "a/0"}); n != 0 {
			t.Errorf("published to %d sessions after UNSUBSCRIBE", n)
		}
	})
}

func TestResumesSession(t *testing.T) {
	both(t, func(t *testing.T, v mqtt.Version) {
		b := open(t, 1, nil)
		lasting := func(p *mqtt.Packet) {
			p.Connect.Clean = false
			if v == mqtt.V5 {
				p.Props = mqtt.Properties{number(mqtt.SessionExpiry, 600)}
			}
		}
		c, ack := b.connect(v, "dev", lasting)
		if ack.SessionPresent {
			t.Error("session present on the first connection")
		}
		c.subscribe(mqtt.Subscription{Filter: "t", QoS: 2})
		b.Publish(Message{Topic: "t", Payload: []byte("1"), QoS: 1})
		b.Publish(Message{Topic: "t", Payload: []byte("2"), QoS: 2})
		b.Publish(Message{Topic: "t", Payload: []byte("3"), QoS: 2})
		c.want("PUBLISH q1 t=1")
		c.want("PUBLISH q2 t=2")
		id := c.want("PUBLISH q2 t=3").ID
		c.ack(mqtt.PUBREC, id)
		c.want("PUBREL")
		conn := b.Conn("dev")
		_ = c.nc.Close()
		<-conn.Done()
		b.Publish(Message{Topic: "t", Payload: []byte("4"), QoS: 1})
		b.Publish(Message{Topic: "t", Payload: []byte("lost"), QoS: 0})

		c, ack = b.connect(v, "dev", lasting)
		if !ack.SessionPresent {
			t.Error("session not present on the second connection")
		}
		c.want("PUBLISH q1 dup t=1")
		c.want("PUBLISH q2 dup t=2")
		if p := c.want("PUBREL"); p.ID != id {
			t.Errorf("PUBREL id %d, want %d", p.ID, id)
		}
		c.want("PUBLISH q1 t=4")
		c.quiet()
		b.Forget("dev")
		if s, ok := b.Session("dev"); !ok || s.InFlight != 0 || len(s.Subscriptions) != 0 {
			t.Errorf("session after Forget: %+v, %v", s, ok)
		}
	})
}

func TestTakesOver(t *testing.T) {
	both(t, func(t *testing.T, v mqtt.Version) {
		b := open(t, 1, nil)
		first, _ := b.connect(v, "dev", nil)
		second, ack := b.connect(v, "dev", nil)
		if ack.SessionPresent {
			t.Error("a clean session was resumed")
		}
		if v == mqtt.V5 {
			first.want("DISCONNECT 8E")
		}
		first.want("end")
		second.quiet()
		b.TakeOver("dev")
		if v == mqtt.V5 {
			second.want("DISCONNECT 8E")
		}
		second.want("end")
	})
}

func TestRetains(t *testing.T) {
	both(t, func(t *testing.T, v mqtt.Version) {
		b := open(t, 1, nil)
		c, _ := b.connect(v, "dev", nil)
		kept := message("r/1", "on", 0)
		kept.Retain = true
		c.send(kept)
		c.quiet()
		c.subscribe(mqtt.Subscription{Filter: "r/+", QoS: 1})
		c.want("PUBLISH q0 retain r/1=on")
		c.send(kept)
		c.want("PUBLISH q0 r/1=on")
		if m, ok := b.Retained("r/1"); !ok || string(m.Payload) != "on" {
			t.Errorf("retained: %v, %v", m, ok)
		}
		kept.Payload = nil
		c.send(kept)
		c.want("PUBLISH q0 r/1=")
		if _, ok := b.Retained("r/1"); ok {
			t.Error("an empty payload did not clear")
		}
	})
}

func TestRetainOptions(t *testing.T) {
	b := open(t, 1, nil)
	b.Publish(Message{Topic: "r", Payload: []byte("v"), Retain: true})
	c, _ := b.connect(mqtt.V5, "dev", nil)
	c.subscribe(mqtt.Subscription{Filter: "r", RetainHandling: 2})
	c.quiet()
	c.subscribe(mqtt.Subscription{Filter: "r", RetainHandling: 1})
	c.quiet()
	c.subscribe(mqtt.Subscription{Filter: "r", RetainAsPublished: true, NoLocal: true})
	c.want("PUBLISH q0 retain r=v")
	b.Publish(Message{Topic: "r", Payload: []byte("w"), Retain: true})
	c.want("PUBLISH q0 retain r=w")
	c.send(message("r", "own", 0))
	c.quiet()
}

func TestWills(t *testing.T) {
	tests := []struct {
		name  string
		v     mqtt.Version
		props mqtt.Properties // of the will
		end   func(*bed, *client)
		sent  bool
	}{
		{"connection lost", mqtt.V311, nil, func(_ *bed, c *client) { _ = c.nc.Close() }, true},
		{"disconnect", mqtt.V311, nil, func(_ *bed, c *client) { c.send(&mqtt.Packet{Type: mqtt.DISCONNECT}) }, false},
		{"disconnect with will", mqtt.V5, nil, func(_ *bed, c *client) { c.send(&mqtt.Packet{Type: mqtt.DISCONNECT, Code: 4}) }, true},
		{"protocol error", mqtt.V311, nil, func(_ *bed, c *client) { c.raw([]byte{0xC1, 0}) }, true},
		{"keep-alive", mqtt.V5, nil, func(*bed, *client) {}, true},
		{"delay", mqtt.V5, mqtt.Properties{number(mqtt.WillDelay, 5)}, func(_ *bed, c *client) { _ = c.nc.Close() }, true},
		{"memory lost", mqtt.V5, nil, func(b *bed, _ *client) { b.ForgetAll() }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, 100, nil)
			c, _ := b.connect(tt.v, "dev", func(p *mqtt.Packet) {
				p.Connect.KeepAlive = 30
				p.Connect.Will = &mqtt.Will{Topic: "w", Payload: []byte("gone"), Retain: true, Props: tt.props}
				if tt.v == mqtt.V5 {
					p.Props = mqtt.Properties{number(mqtt.SessionExpiry, 60)}
				}
			})
			conn := b.Conn("dev")
			began := b.clock.Now()
			go func() { // take what comes, until the end
				for c.nextQuietly() {
				}
			}()
			tt.end(b, c)
			<-conn.Done()
			ended := b.clock.Now()
			deadline := time.Now().Add(2 * time.Second)
			for _, ok := b.Retained("w"); ok != tt.sent && time.Now().Before(deadline); _, ok = b.Retained("w") {
				time.Sleep(time.Millisecond)
			}
			if _, ok := b.Retained("w"); ok != tt.sent {
				t.Errorf("will sent: %v, want %v", ok, tt.sent)
			}
			if took := ended.Sub(began); tt.name == "keep-alive" && took < 45*time.Second {
				t.Errorf("keep-alive of 30 s ended after %v", took)
			}
			if took := b.clock.Since(ended); tt.props != nil && took < 4*time.Second {
				t.Errorf("a will with a delay of 5 s was sent after %v", took)
			}
		})
	}
}

func (c *client) nextQuietly() bool {
	_, err := c.rd.Next()
	return err == nil
}

func TestSessionExpires(t *testing.T) {
	b := open(t, 100, nil)
	c, _ := b.connect(mqtt.V5, "dev", func(p *mqtt.Packet) { p.Props = mqtt.Properties{number(mqtt.SessionExpiry, 5)} })
	c.send(&mqtt.Packet{Type: mqtt.DISCONNECT})
	c.want("end")
	if s, ok := b.Session("dev"); !ok || s.Expiry != 5*time.Second {
		t.Fatalf("session after DISCONNECT: %+v, %v", s, ok)
	}
	deadline := time.Now().Add(2 * time.Second)
	for _, ok := b.Session("dev"); ok; _, ok = b.Session("dev") {
		if time.Now().After(deadline) {
			t.Fatal("the session did not expire")
		}
		time.Sleep(time.Millisecond)
	}
}

func TestSubscriptionsOverlap(t *testing.T) {
	b := open(t, 1, nil)
	c, _ := b.connect(mqtt.V5, "dev", nil)
	for i, f := range []mqtt.Subscription{{Filter: "a/#"}, {Filter: "a/b", QoS: 1}, {Filter: "#"}} {
		c.send(&mqtt.Packet{
			Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Subscription{f},
			Props: mqtt.Properties{number(mqtt.SubscriptionIdentifier, uint32(i+1))},
		})
		c.next()
	}
	b.Publish(Message{Topic: "a/b", Payload: []byte("x"), QoS: 2, Props: mqtt.Properties{
		{ID: mqtt.UserProperty, Text: "k", Value: "v"}, number(mqtt.MessageExpiry, 60), {ID: mqtt.ResponseTopic, Text: "r"},
	}})
	p := c.want("PUBLISH q1 a/b=x")
	ids := 0
	for _, q := range p.Props {
		if q.ID == mqtt.SubscriptionIdentifier {
			ids++
		}
	}
	if ids != 3 || !p.Props.Has(mqtt.UserProperty) || !p.Props.Has(mqtt.MessageExpiry) || !p.Props.Has(mqtt.ResponseTopic) {
		t.Errorf("properties: %v", p.Props)
	}
	b.Publish(Message{Topic: "$SYS/x"})
	c.quiet()
}

func TestSharesTakeTurns(t *testing.T) {
	b := open(t, 1, nil)
	one, _ := b.connect(mqtt.V5, "one", nil)
	two, _ := b.connect(mqtt.V5, "two", nil)
	one.subscribe(mqtt.Subscription{Filter: "$share/g/t"})
	two.subscribe(mqtt.Subscription{Filter: "$share/g/t"})
	for range 4 {
		if n := b.Publish(Message{Topic: "t", Payload: []byte("x")}); n != 1 {
			t.Fatalf("sent to %d sessions", n)
		}
	}
	for _, c := range []*client{one, two} {
		c.want("PUBLISH q0 t=x")
		c.want("PUBLISH q0 t=x")
		c.quiet()
	}
}

func TestKeepsToTheClientsLimits(t *testing.T) {
	b := open(t, 1, nil)
	c, _ := b.connect(mqtt.V5, "dev", func(p *mqtt.Packet) {
		p.Props = mqtt.Properties{number(mqtt.ReceiveMaximum, 2), number(mqtt.MaximumPacketSize, 100)}
	})
	c.subscribe(mqtt.Subscription{Filter: "t", QoS: 1})
	b.Publish(Message{Topic: "t", Payload: make([]byte, 200), QoS: 1})
	for _, s := range []string{"1", "2", "3"} {
		b.Publish(Message{Topic: "t", Payload: []byte(s), QoS: 1})
	}
	id := c.want("PUBLISH q1 t=1").ID
	c.want("PUBLISH q1 t=2")
	c.quiet()
	if s, _ := b.Session("dev"); s.InFlight != 2 || s.Queued != 1 {
		t.Errorf("session: %+v", s)
	}
	c.ack(mqtt.PUBACK, id)
	c.want("PUBLISH q1 t=3")
}

func TestRefusesViolations(t *testing.T) {
	connect := func(change func(*mqtt.Packet)) []byte {
		p := &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V5, Clean: true, ClientID: "x"}}
		if change != nil {
			change(p)
		}
		p.Version = p.Connect.Level
		return p.Bytes()
	}
	alias := func(n uint32) []byte {
		return (&mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V5, Props: mqtt.Properties{number(mqtt.TopicAlias, n)}}).Bytes()
	}
	two := func(id uint16) []byte {
		return (&mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V5, QoS: 2, ID: id, Topic: "t"}).Bytes()
	}
	tests := []struct {
		name  string
		bytes [][]byte
		want  string // packets until the end
	}{
		{"first packet not CONNECT", [][]byte{{0xC0, 0}}, "end"},
		{"second CONNECT", [][]byte{connect(nil), connect(nil)}, "CONNACK 00, DISCONNECT 82, end"},
		{"reserved flags", [][]byte{connect(nil), {0xC1, 0}}, "CONNACK 00, DISCONNECT 81, end"},
		{"a server's packet", [][]byte{connect(nil), {0xD0, 0}}, "CONNACK 00, DISCONNECT 82, end"},
		{"remaining length of five bytes", [][]byte{connect(nil), {0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1}}, "CONNACK 00, DISCONNECT 81, end"},
		{"unknown level", [][]byte{connect(func(p *mqtt.Packet) { p.Connect.Level = 6 })}, "CONNACK 84, end"},
		{"alias too high", [][]byte{connect(nil), alias(3)}, "CONNACK 00, DISCONNECT 94, end"},
		{"alias without topic", [][]byte{connect(nil), alias(1)}, "CONNACK 00, DISCONNECT 82, end"},
		{"receive maximum", [][]byte{connect(nil), two(1), two(2), two(3)}, "CONNACK 00, PUBREC, PUBREC, DISCONNECT 93, end"},
		{
			"too large",
			[][]byte{connect(nil), mqtt.Frame(0x30, append([]byte{0, 1, 't', 0}, make([]byte, 1000)...))},
			"CONNACK 00, DISCONNECT 95, end",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, 1, func(o *Options) {
				o.Capabilities = Capabilities{ReceiveMaximum: 2, TopicAliasMaximum: 2, MaximumPacketSize: 1000}
			})
			c := b.dial(mqtt.V5)
			go func() {
				for _, raw := range tt.bytes {
					_, _ = c.nc.Write(raw)
				}
			}()
			var got []string
			for p := c.next(); ; p = c.next() {
				got = append(got, show(p))
				if p == nil {
					break
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
			if tt.name != "unknown level" {
				b.await(0, func(e evidence.Event) bool { return e.Kind == evidence.Bad && strings.Contains(e.Text, "at offset") })
			}
		})
	}
}

func TestAuthenticatesAndAuthorizes(t *testing.T) {
	both(t, func(t *testing.T, v mqtt.Version) {
		b := open(t, 1, func(o *Options) {
			o.Authenticate = func(k *mqtt.Connect, _ net.Conn) byte {
				if k.User == "bad" {
					return 0x86
				}
				return 0
			}
			o.Authorize = func(_ *Conn, _ bool, topic string) bool { return topic != "no" }
		})
		want, denied := map[mqtt.Version]string{mqtt.V311: "CONNACK 04", mqtt.V5: "CONNACK 86"}[v], byte(0x80)
		bad, ack := b.connect(v, "bad", func(p *mqtt.Packet) { p.Connect.HasUser, p.Connect.User = true, "bad" })
		if show(ack) != want {
			t.Errorf("got %s, want %s", show(ack), want)
		}
		bad.want("end")
		c, _ := b.connect(v, "dev", nil)
		if v == mqtt.V5 {
			denied = 0x87
		}
		if ack := c.subscribe(mqtt.Subscription{Filter: "no"}, mqtt.Subscription{Filter: "yes"}); ack.Codes[0] != denied || ack.Codes[1] != 0 {
			t.Errorf("SUBACK codes %x", ack.Codes)
		}
		c.send(message("no", "x", 1))
		if p := c.next(); p.Type != mqtt.PUBACK || v == mqtt.V5 && p.Code != 0x87 {
			t.Errorf("PUBLISH answered with %s", show(p))
		}
	})
}

func TestAssignsClientID(t *testing.T) {
	b := open(t, 1, nil)
	_, ack := b.connect(mqtt.V5, "", nil)
	id, ok := ack.Props.Text(mqtt.AssignedClientID)
	if !ok || b.Conn(id) == nil {
		t.Errorf("assigned %q, %v", id, ok)
	}
	_, ack = b.connect(mqtt.V311, "", func(p *mqtt.Packet) { p.Connect.Clean = false })
	if ack.Code != 2 {
		t.Errorf("empty client id with a lasting session: %s", show(ack))
	}
}

func TestWaitsForConnect(t *testing.T) {
	b := open(t, 300, nil)
	c := b.dial(mqtt.V5)
	c.want("end")
	b.await(0, func(e evidence.Event) bool { return e.Kind == evidence.Seen && strings.HasPrefix(e.Text, "no CONNECT") })
}

func TestAnnouncesCapabilities(t *testing.T) {
	b := open(t, 1, nil)
	b.Set(func(o *Options) {
		o.Capabilities = Capabilities{MaximumQoS: 1, ServerKeepAlive: 20, MaxSessionExpiry: 60, TopicAliasMaximum: 3, NoRetain: true, NoWildcard: true}
	})
	c, ack := b.connect(mqtt.V5, "dev", func(p *mqtt.Packet) { p.Props = mqtt.Properties{number(mqtt.SessionExpiry, endless)} })
	for id, want := range map[mqtt.PropID]uint32{
		mqtt.MaximumQoS: 1, mqtt.ServerKeepAlive: 20, mqtt.SessionExpiry: 60,
		mqtt.TopicAliasMaximum: 3, mqtt.RetainAvailable: 0, mqtt.WildcardAvailable: 0,
	} {
		if got := ack.Props.Int(id, 99); got != want {
			t.Errorf("CONNACK says %v %d, want %d", id, got, want)
		}
	}
	if ack := c.subscribe(mqtt.Subscription{Filter: "a/#"}, mqtt.Subscription{Filter: "b", QoS: 2}); show(ack) != "SUBACK A201" {
		t.Errorf("got %s", show(ack))
	}
	named, byAlias := message("b", "1", 0), message("", "2", 0)
	named.Props = mqtt.Properties{number(mqtt.TopicAlias, 3)}
	byAlias.Props = named.Props
	c.send(named)
	c.want("PUBLISH q0 b=1")
	c.send(byAlias)
	c.want("PUBLISH q0 b=2")
	c.send(message("b", "", 2))
	c.want("DISCONNECT 9B")
	c.want("end")
}

func TestForgetsAll(t *testing.T) {
	b := open(t, 1, nil)
	c, _ := b.connect(mqtt.V5, "dev", func(p *mqtt.Packet) { p.Props = mqtt.Properties{number(mqtt.SessionExpiry, endless)} })
	b.Publish(Message{Topic: "r", Payload: []byte("v"), Retain: true})
	if s, _ := b.Session("dev"); s.Expiry != Forever || !s.Connected {
		t.Errorf("session: %+v", s)
	}
	b.ForgetAll()
	c.want("end")
	if _, ok := b.Session("dev"); ok || len(b.Conns()) != 0 {
		t.Error("something is remembered")
	}
	if _, ok := b.Retained("r"); ok {
		t.Error("a retained message is remembered")
	}
}

func FuzzServe(f *testing.F) {
	hello := (&mqtt.Packet{Type: mqtt.CONNECT, Version: mqtt.V5, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V5, Clean: true}}).Bytes()
	f.Add(hello)
	f.Add(append(hello, 0xC0, 0, 0x82, 9, 0, 1, 0, 0, 3, 'a', '/', '#', 1, 0x30, 6, 0, 3, 'a', '/', 'b', 0, 0xE0, 0))
	f.Add([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F})
	f.Fuzz(func(t *testing.T, raw []byte) {
		clk := clock.New(1)
		b := New(Options{Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)})
		here, there := net.Pipe()
		done := make(chan struct{})
		go func() { defer close(done); b.Serve(there) }()
		go func() { _, _ = io.Copy(io.Discard, here) }()
		_, _ = here.Write(raw) // fails when the broker has hung up
		_ = here.Close()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("Serve does not end")
		}
		b.Close()
	})
}
