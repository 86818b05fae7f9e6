package broker

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Each row scripts the exchange of one PUBLISH of QoS 1 from the client, or of one PINGREQ, and says what the client then sees.
func TestActions(t *testing.T) {
	isPing := func(_ *Conn, p *mqtt.Packet) bool { return p.Type == mqtt.PINGREQ }
	tests := []struct {
		name string
		rule Rule
		want string
	}{
		{"none", Rule{Type: mqtt.SUBSCRIBE, Do: Drop()}, "PUBACK, PINGRESP"},
		{"drop in", Rule{Type: mqtt.PUBLISH, Do: Drop()}, "PINGRESP"},
		{"drop out", Rule{Dir: Out, Type: mqtt.PUBACK, Do: Drop()}, "PINGRESP"},
		{"any type, matched", Rule{Match: isPing, Do: All(Drop(), ThenClose())}, "PUBACK, end"},
		{"delay", Rule{Dir: Out, Type: mqtt.PUBACK, Do: Delay(time.Second)}, "PINGRESP, PUBACK"},
		{"delay in order", Rule{Dir: Out, Type: mqtt.PUBACK, Do: DelayInOrder(time.Second)}, "PUBACK, PINGRESP"},
		{"repeat", Rule{Dir: Out, Type: mqtt.PUBACK, Do: Repeat(2, 0)}, "PUBACK, PUBACK, PUBACK, PINGRESP"},
		{"repeat later", Rule{Dir: Out, Type: mqtt.PUBACK, Do: Repeat(1, time.Second)}, "PUBACK, PINGRESP, PUBACK"},
		{"repeat delayed", Rule{Dir: Out, Type: mqtt.PUBACK, Do: All(Repeat(1, 0), Delay(time.Second))}, "PINGRESP, PUBACK, PUBACK"},
		{"answer", Rule{Type: mqtt.PUBLISH, Do: Answer(&mqtt.Packet{Type: mqtt.PUBACK, Code: 0x97})}, "PUBACK 97, PINGRESP"},
		{"replace", Rule{Dir: Out, Type: mqtt.PUBACK, Do: Replace(func(*mqtt.Packet) []byte { return []byte{0xE0, 0} })}, "DISCONNECT, PINGRESP"},
		{"then close, in", Rule{Type: mqtt.PUBLISH, Do: ThenClose()}, "PUBACK, end"},
		{"then close, out", Rule{Dir: Out, Type: mqtt.PUBACK, Do: ThenClose()}, "PUBACK, end"},
		{"then reset", Rule{Dir: Out, Type: mqtt.PUBACK, Do: ThenReset()}, "PUBACK, end"},
		{
			"then",
			Rule{Dir: Out, Type: mqtt.PUBACK, Do: Then(func(c *Conn) { _ = c.Send(message("t", "", 0)) })},
			"PUBACK, PUBLISH q0 t=, PINGRESP",
		},
		{"altered", Rule{Dir: Out, Type: mqtt.PUBACK, Do: func(ex *Exchange) { ex.Packet.Code = 0x99 }}, "PUBACK 99, PINGRESP"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, 20, nil)
			c, _ := b.connect(mqtt.V5, "dev", nil)
			b.When(tt.rule)
			go func() {
				_, _ = c.nc.Write((&mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V5, Topic: "t", QoS: 1, ID: 7}).Bytes())
				if tt.name == "then" { // it comes through the outbox: let it in before the ping's answer
					b.await(0, func(e evidence.Event) bool { _, ok := Sent(e, mqtt.PUBLISH); return ok })
				}
				_, _ = c.nc.Write([]byte{0xC0, 0})
			}()
			var got []string
			for len(got) < len(strings.Split(tt.want, ", ")) {
				p := c.next()
				got = append(got, show(p))
				if p == nil {
					break
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

func TestRepeatsWithDup(t *testing.T) {
	b := open(t, 20, nil)
	c, _ := b.connect(mqtt.V311, "dev", nil)
	c.subscribe(mqtt.Subscription{Filter: "t", QoS: 1})
	b.When(Rule{Dir: Out, Type: mqtt.PUBLISH, Times: 1, Do: Repeat(1, 0)})
	b.Publish(Message{Topic: "t", Payload: []byte("x"), QoS: 1})
	id := c.want("PUBLISH q1 t=x").ID
	if again := c.want("PUBLISH q1 dup t=x").ID; again != id {
		t.Errorf("repeated with id %d, first sent with %d", again, id)
	}
}

func TestRuleIsUsedUpAndUndone(t *testing.T) {
	b := open(t, 1, nil)
	c, _ := b.connect(mqtt.V5, "dev", nil)
	undo := b.When(Rule{Dir: Out, Type: mqtt.PINGRESP, Times: 2, Do: Drop()})
	for range 3 {
		c.send(&mqtt.Packet{Type: mqtt.PINGREQ})
	}
	c.want("PINGRESP")
	undo()
	undo = b.When(Rule{Dir: Out, Type: mqtt.PINGRESP, Do: Drop()})
	undo()
	undo()
	c.quiet()
	sent, got := 0, 0
	for _, e := range b.log.Since(0) {
		if _, ok := Sent(e, mqtt.PINGRESP); ok {
			sent++
		}
		if p, ok := Got(e, mqtt.PINGREQ); ok && p.Version == mqtt.V5 && e.Part == "cloud" && e.Conn == 1 {
			got++
		}
	}
	if sent != 2 || got != 4 {
		t.Errorf("log has %d PINGRESP and %d PINGREQ, want 2 and 4", sent, got)
	}
}

func TestSendsAsTold(t *testing.T) {
	b := open(t, 1, nil)
	c, _ := b.connect(mqtt.V5, "dev", nil)
	conn := b.Conns()[0]
	if conn.ClientID() != "dev" || conn.Version() != mqtt.V5 || conn.Number() != 1 || conn.Connect().Connect.ClientID != "dev" {
		t.Errorf("connection %d of %q, %v", conn.Number(), conn.ClientID(), conn.Version())
	}
	id := conn.NextID()
	if err := conn.Send(&mqtt.Packet{Type: mqtt.PUBLISH, QoS: 2, ID: id, Topic: "t"}); err != nil {
		t.Fatal(err)
	}
	c.want("PUBLISH q2 t=")
	c.ack(mqtt.PUBREC, id)
	c.want("PUBREL")
	c.ack(mqtt.PUBREC, id+1)
	c.want("PUBREL 92")
	_ = conn.SendRaw("half a packet", []byte{0x30})
	conn.Close()
	c.want("end")
	<-conn.Done()
	if err := conn.SendRaw("late", nil); err != ErrEnded {
		t.Errorf("send after the end: %v", err)
	}
	b.await(0, func(e evidence.Event) bool {
		return e.Kind == evidence.Out && e.Text == "half a packet" && e.Hex == "30" && e.Data == nil
	})
}

func TestResetsOverTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	b := open(t, 1, nil)
	go func() {
		nc, err := ln.Accept()
		if err == nil {
			b.Serve(nc)
		}
	}()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c := &client{t: t, nc: nc, rd: mqtt.NewReader(nc, 1<<20), v: mqtt.V311}
	c.send(&mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V311, Clean: true, ClientID: "dev"}})
	c.want("CONNACK 00")
	b.Conn("dev").Reset()
	if _, err := nc.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read after a reset: %v", err)
	}
}

func TestCutsAPeerThatDoesNotRead(t *testing.T) {
	b := open(t, 1, nil)
	c, _ := b.connect(mqtt.V311, "dev", nil)
	c.subscribe(mqtt.Subscription{Filter: "t"})
	conn, big := b.Conn("dev"), make([]byte, 1<<20)
	for range 12 {
		b.Publish(Message{Topic: "t", Payload: big})
	}
	select {
	case <-conn.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the connection lives on")
	}
}

func TestHoldsManyConnections(t *testing.T) {
	const n = 2000
	b := open(t, 1, nil)
	var clients, heard sync.WaitGroup
	heard.Add(n)
	for range n {
		here, there := net.Pipe()
		go b.Serve(there)
		clients.Go(func() {
			defer here.Close()
			rd := mqtt.NewReader(here, 1000)
			p := &mqtt.Packet{Type: mqtt.CONNECT, Version: mqtt.V5, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V5}}
			sub := &mqtt.Packet{Type: mqtt.SUBSCRIBE, Version: mqtt.V5, ID: 1, Filters: []mqtt.Subscription{{Filter: "all", QoS: 1}}}
			for _, p := range []*mqtt.Packet{p, sub} {
				if _, err := here.Write(p.Bytes()); err != nil {
					t.Error(err)
				}
				_, _ = rd.Next()
			}
			if raw, err := rd.Next(); err != nil || mqtt.Type(raw[0]>>4) != mqtt.PUBLISH {
				t.Errorf("got % x, %v", raw, err)
			}
			heard.Done()
			_, _ = io.Copy(io.Discard, here)
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for seen, mark := 0, 0; seen < n; seen++ {
		e, err := b.log.Await(ctx, mark, func(e evidence.Event) bool { _, ok := Sent(e, mqtt.SUBACK); return ok })
		if err != nil {
			t.Fatal(err)
		}
		mark = e.N + 1
	}
	if got := b.Publish(Message{Topic: "all", Payload: []byte("x"), QoS: 1}); got != n {
		t.Errorf("published to %d of %d", got, n)
	}
	heard.Wait()
	b.Close()
	clients.Wait()
}

// scripted is a connection with a number and a reset of its own, wrapped once.
type scripted struct {
	net.Conn
	reset chan struct{}
}

func (s scripted) Number() int  { return 41 }
func (s scripted) Reset() error { close(s.reset); return nil }

type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

func TestUsesTheLinksNumberAndReset(t *testing.T) {
	b := open(t, 1, nil)
	here, there := net.Pipe()
	defer here.Close()
	link := scripted{there, make(chan struct{})}
	go b.Serve(wrapped{link})
	c := &client{t: t, nc: here, rd: mqtt.NewReader(here, 100), v: mqtt.V311}
	c.send(&mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V311, Clean: true, ClientID: "dev"}})
	c.want("CONNACK 00")
	c.subscribe(mqtt.Subscription{Filter: "a", QoS: 1})
	conn := b.Conn("dev")
	if subs := conn.Subscriptions(); conn.Number() != 41 || len(subs) != 1 || subs[0].Filter != "a" {
		t.Errorf("connection %d with %v", conn.Number(), subs)
	}
	conn.Reset()
	<-link.reset
}

func TestLogsBulkInPartOnceMuchWasLogged(t *testing.T) {
	b := open(t, 1, nil)
	p := &mqtt.Packet{Type: mqtt.PUBLISH, Topic: "t", Payload: make([]byte, 1<<20)}
	if got := b.copied(p, 1<<20); len(got.Payload) != 1<<20 {
		t.Errorf("first: %d bytes", len(got.Payload))
	}
	b.kept.Store(maxLogged)
	if got := b.copied(p, 1<<20); len(got.Payload) != head || got.Topic != "t" {
		t.Errorf("after the limit: %d bytes", len(got.Payload))
	}
	p.Payload = p.Payload[:100]
	if got := b.copied(p, 105); len(got.Payload) != 100 {
		t.Errorf("small, after the limit: %d bytes", len(got.Payload))
	}
}

func TestReturnCodes(t *testing.T) {
	for code, want := range map[byte]byte{0x84: 1, 0x85: 2, 0x88: 3, 0x97: 3, 0x86: 4, 0x87: 5, 0x8C: 5} {
		if got := returnCode(code); got != want {
			t.Errorf("0x%02X becomes %d, want %d", code, got, want)
		}
	}
}
