package device

import (
	"context"
	"crypto/tls"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

// gap is the device time between the line of the console that begins with prefix and the next attempt to connect.
func (r *rig) gap(mark int, prefix string) time.Duration {
	r.t.Helper()
	from := r.console(mark, prefix)
	to := r.packet(from.N, "CONNECT", func(p *mqtt.Packet) bool { return p.Type == mqtt.CONNECT })
	return to.At.Sub(from.At)
}

func TestWaitsAsTheServerSays(t *testing.T) {
	refuse := func(code byte) func(*rig) {
		return func(r *rig) {
			r.b.When(broker.Rule{Type: mqtt.CONNECT, Times: 1, Do: broker.All(broker.Answer(&mqtt.Packet{Type: mqtt.CONNACK, Version: mqtt.V5, Code: code}), broker.ThenClose())})
			r.start()
		}
	}
	say := func(code byte) func(*rig) {
		return func(r *rig) {
			c := r.online()
			if err := c.Send(&mqtt.Packet{Type: mqtt.DISCONNECT, Version: mqtt.V5, Code: code}); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		do       func(*rig)
		line     string
		min, max time.Duration
	}{
		"not authorized":   {refuse(0x87), "not authorized", 30 * time.Second, 62 * time.Second},
		"bad credentials":  {refuse(0x86), "not authorized", 30 * time.Second, 62 * time.Second},
		"unavailable":      {refuse(0x88), "offline", 2 * time.Second, 10 * time.Second},
		"taken over":       {say(0x8E), "taken over", 60 * time.Second, 70 * time.Second},
		"server busy":      {say(0x89), "offline", 2 * time.Second, 10 * time.Second},
		"server goes down": {say(0x8B), "offline", time.Second / 2, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, mqtt.V5)
			c.do(r)
			if gap := r.gap(0, c.line); gap < c.min*9/10 || gap > c.max+3*time.Second {
				t.Errorf("comes back after %s, want %s to %s", gap, c.min, c.max)
			}
			r.console(0, "online")
		})
	}
}

func TestPingsByServerKeepAlive(t *testing.T) {
	r := newRig(t, mqtt.V5)
	r.b.Set(func(o *broker.Options) { o.ServerKeepAlive = 4; o.ReceiveMaximum = 1 })
	r.b.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBACK, Do: broker.Drop()}) // so that readings stop and only pings are left
	r.start()
	mark := 0
	var last time.Time
	for range 3 {
		e := r.packet(mark, "PINGREQ", func(p *mqtt.Packet) bool { return p.Type == mqtt.PINGREQ })
		if gap := e.At.Sub(last); !last.IsZero() && gap > 4*time.Second {
			t.Errorf("%s between two pings", gap)
		}
		last, mark = e.At, e.N+1
	}
}

func TestRefusedMessages(t *testing.T) {
	for code, tries := range map[byte]int{0x97: 3, 0x99: 1, 0x87: 1} {
		r := newRig(t, mqtt.V5)
		r.b.When(broker.Rule{
			Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.Topic == "thermostat/t1/event" },
			Do: broker.Answer(&mqtt.Packet{Type: mqtt.PUBACK, Version: mqtt.V5, Code: code}),
		})
		r.online()
		r.command(`{"id":"a","set":{"target_tenths":5}}`)
		r.console(0, "message dropped event")
		mark := r.log.Len()
		r.published(mark, "thermostat/t1/telemetry", "seq")
		n := r.count(0, func(e evidence.Event) bool {
			p, ok := e.Data.(*mqtt.Packet)
			return ok && e.Kind == evidence.In && p.Topic == "thermostat/t1/event"
		})
		if n != tries {
			t.Errorf("code %#x: sent %d times, want %d", code, n, tries)
		}
	}
}

func TestKeepsToPacketSize(t *testing.T) {
	r := newRig(t, mqtt.V5)
	r.b.Set(func(o *broker.Options) { o.MaximumPacketSize = 80 })
	r.start()
	r.console(0, "message dropped telemetry")
	r.published(0, "thermostat/t1/status", "online")
	for _, e := range r.log.Since(0) {
		if p, ok := e.Data.(*mqtt.Packet); ok && e.Kind == evidence.In && p.Type == mqtt.PUBLISH && e.Size > 80 {
			t.Errorf("sends %d bytes", e.Size)
		}
	}
}

func TestResumesTLS(t *testing.T) {
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Server(pki.Good, brokerName)
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{*cert}}
	clk := clock.New(1)
	connect := func(d *Device, server *tls.Config) (resumed bool, err error) {
		near, far := loopback(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			s := tls.Server(far, server)
			_, _ = s.Write([]byte("x")) // after the ticket; the device's side is judged
			_, _ = s.Read(make([]byte, 1))
			_ = far.Close()
		}()
		defer func() { _ = near.Close(); <-done }()
		conn, err := d.secure(context.Background(), near, brokerName)
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
			resumed = conn.(*tls.Conn).ConnectionState().DidResume
		}
		return resumed, err
	}
	for _, defect := range []string{"", "tls-ticket-required"} {
		d := New(Config{ID: "t1", TLS: true, Roots: a.RootsPEM(), Clock: clk, Defects: map[string]bool{defect: true}})
		d.src = newSource(clk, time.Time{})
		if d.trust, err = newTrust(&d.cfg); err != nil {
			t.Fatal(err)
		}
		if resumed, err := connect(d, server); resumed || err != nil {
			t.Errorf("first: resumed %t, %v", resumed, err)
		}
		if resumed, err := connect(d, server); !resumed || err != nil {
			t.Errorf("second: resumed %t, %v", resumed, err)
		}
		if resumed, err := connect(d, &tls.Config{Certificates: server.Certificates}); resumed || (err == nil) != (defect == "") {
			t.Errorf("after the server's restart with defect %q: resumed %t, %v", defect, resumed, err)
		}
	}
}
