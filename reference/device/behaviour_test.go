package device

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// online starts a device and waits for its subscriptions.
func (r *rig) online() *broker.Conn {
	r.t.Helper()
	r.start()
	r.subscribed(0)
	r.published(0, "thermostat/t1/state", "target")
	return r.b.Conn("t1")
}

func TestQoS2OnceOverReconnect(t *testing.T) {
	for _, version := range versions {
		t.Run(version.String(), func(t *testing.T) {
			r := newRig(t, version)
			r.b.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBREL, Do: broker.Drop()}) // the broker knows nothing of this exchange
			c := r.online()
			p := &mqtt.Packet{Type: mqtt.PUBLISH, Version: version, QoS: 2, ID: 900, Topic: "thermostat/t1/config", Payload: []byte(`{"id":"k","offset_tenths":3}`)}
			isRec := func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBREC && p.ID == 900 }
			send := func(c *broker.Conn, p *mqtt.Packet) {
				if err := c.Send(p); err != nil {
					t.Fatal(err)
				}
			}
			send(c, p)
			rec := r.packet(0, "PUBREC", isRec)
			dup := *p
			dup.Dup = true
			send(c, &dup)
			r.packet(rec.N+1, "second PUBREC", isRec)
			mark := r.log.Len()
			c.Reset()
			r.console(mark, "online")
			c = r.b.Conn("t1")
			again := r.log.Len()
			send(c, &dup)
			r.packet(again, "third PUBREC", isRec)
			send(c, &mqtt.Packet{Type: mqtt.PUBREL, Version: version, ID: 900})
			r.packet(again, "PUBCOMP", func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBCOMP && p.ID == 900 && p.Code == 0 })
			if n := r.count(0, func(e evidence.Event) bool { return e.Text == "configured k" }); n != 1 {
				t.Errorf("configured %d times", n)
			}
		})
	}
}

func TestResendsAfterReconnectOnly(t *testing.T) {
	r := newRig(t, mqtt.V5)
	undo := r.b.When(broker.Rule{Type: mqtt.PUBLISH, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
		return p.Topic == "thermostat/t1/telemetry"
	}, Do: broker.Drop()})
	r.start()
	first := r.published(0, "thermostat/t1/telemetry", `"seq":1,`)
	r.published(0, "thermostat/t1/telemetry", `"seq":6,`)
	undo()
	mark := r.log.Len()
	r.b.Conn("t1").Reset()
	again := r.published(mark, "thermostat/t1/telemetry", `"seq":1,`)
	a, b := first.Data.(*mqtt.Packet), again.Data.(*mqtt.Packet)
	if !b.Dup || a.ID != b.ID {
		t.Errorf("sent again as %v, first %v", b, a)
	}
	if n := r.count(0, func(e evidence.Event) bool {
		p, ok := e.Data.(*mqtt.Packet)
		return ok && e.Kind == evidence.In && p.ID == a.ID && p.Topic == a.Topic
	}); n != 2 {
		t.Errorf("sent %d times", n)
	}
}

func TestReceiveMaximumOne(t *testing.T) {
	r := newRig(t, mqtt.V5)
	r.b.Set(func(o *broker.Options) { o.ReceiveMaximum = 1 })
	r.b.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBACK, Do: broker.Delay(500 * time.Millisecond)})
	r.start()
	r.published(0, "thermostat/t1/telemetry", `"seq":3,`)
	open := 0
	for _, e := range r.log.Since(0) {
		p, ok := e.Data.(*mqtt.Packet)
		switch {
		case !ok:
		case e.Kind == evidence.In && p.Type == mqtt.PUBLISH:
			open++
		case e.Kind == evidence.Out && p.Type == mqtt.PUBACK:
			open--
		}
		if open > 1 {
			t.Fatalf("%d in flight at event %d", open, e.N)
		}
	}
}

func TestFallsBackOnce(t *testing.T) {
	r := newRig(t, mqtt.V5)
	r.b.Set(func(o *broker.Options) { o.Versions = []mqtt.Version{mqtt.V311} })
	d, _ := r.start()
	r.console(0, "online")
	d.Cut()
	mark := r.log.Len()
	r.start()
	e := r.packet(mark, "CONNECT", func(p *mqtt.Packet) bool { return p.Type == mqtt.CONNECT })
	if v := e.Data.(*mqtt.Packet).Connect.Level; v != mqtt.V311 {
		t.Errorf("after the restart it tries %s", v)
	}
}

func TestSubscriptionRefused(t *testing.T) {
	for _, version := range versions {
		t.Run(version.String(), func(t *testing.T) {
			r := newRig(t, version)
			r.b.Set(func(o *broker.Options) {
				o.Authorize = func(_ *broker.Conn, write bool, topic string) bool {
					return write || !strings.HasSuffix(topic, "/command")
				}
			})
			r.start()
			r.console(0, "subscription refused thermostat/t1/command")
			r.published(0, "thermostat/t1/status", "degraded")
			mark := r.log.Len()
			r.b.Set(func(o *broker.Options) { o.Authorize = nil })
			r.subscribed(mark)
			r.published(mark, "thermostat/t1/status", "online")
		})
	}
}

func TestGivesUpOnSilence(t *testing.T) {
	for what, rule := range map[string]broker.Rule{
		"no CONNACK":             {Dir: broker.In, Type: mqtt.CONNECT, Do: broker.Drop(), Times: 1},
		"no SUBACK":              {Dir: broker.Out, Type: mqtt.SUBACK, Do: broker.Drop(), Times: 1},
		"server does not answer": {Dir: broker.Out, Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.Type == mqtt.PUBACK || p.Type == mqtt.PINGRESP }, Do: broker.Drop()},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, mqtt.V311)
			r.b.When(rule)
			r.start()
			r.console(0, "offline: "+what)
		})
	}
}

func TestTopicAlias(t *testing.T) {
	r := newRig(t, mqtt.V5)
	c := r.online()
	send := func(alias uint32, topic, id string) {
		p := &mqtt.Packet{
			Type: mqtt.PUBLISH, Version: mqtt.V5, QoS: 1, ID: c.NextID(), Topic: topic, Payload: fmt.Appendf(nil, `{"id":%q,"set":{"target_tenths":5}}`, id),
			Props: mqtt.Properties{{ID: mqtt.TopicAlias, Int: alias}},
		}
		if err := c.Send(p); err != nil {
			t.Fatal(err)
		}
	}
	send(8, "thermostat/t1/command", "a")
	send(8, "", "b")
	r.console(0, "applied b")
	send(9, "thermostat/t1/command", "c")
	r.packet(0, "DISCONNECT 0x94", func(p *mqtt.Packet) bool { return p.Type == mqtt.DISCONNECT && p.Code == 0x94 })
}

func TestTakesFloodAndLargePayload(t *testing.T) {
	for _, version := range versions {
		t.Run(version.String(), func(t *testing.T) {
			r := newRig(t, version)
			r.online()
			r.b.Publish(broker.Message{Topic: "thermostat/t1/command", QoS: 1, Payload: make([]byte, 200<<10)})
			r.console(0, "rejected : payload of 204800 bytes")
			big := fmt.Sprintf(`{"id":"big","set":{"target_tenths":5},"pad":"%s"}`, strings.Repeat("x", 60<<10))
			r.command(big)
			r.console(0, "applied big")
			for i := range 300 {
				r.command(fmt.Sprintf(`{"id":"f%d","set":{"target_tenths":%d}}`, i, i))
			}
			r.console(0, "applied f299")
			r.published(0, "thermostat/t1/state", `"target":29.9`)
		})
	}
}
