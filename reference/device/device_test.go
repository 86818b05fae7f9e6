package device

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

var versions = map[string]mqtt.Version{"3.1.1": mqtt.V311, "5.0": mqtt.V5}

func TestConnectsReportsObeys(t *testing.T) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, version)
			_, stop := r.start()
			r.console(0, "online")
			r.published(0, "thermostat/t1/status", "online")
			r.published(0, "thermostat/t1/telemetry", `"seq":1`)
			r.command(`{"id":"c1","set":{"target_tenths":215},"new":true}`)
			r.published(0, "thermostat/t1/event", `{"applied":"c1","target":21.5}`)
			r.published(0, "thermostat/t1/state", `{"target":21.5,"version":1}`)
			mark := r.log.Len()
			stop()
			r.packet(mark, "DISCONNECT", func(p *mqtt.Packet) bool { return p.Type == mqtt.DISCONNECT })
			if m, _ := r.b.Retained("thermostat/t1/status"); string(m.Payload) != "offline" {
				t.Errorf("retained status is %q", m.Payload)
			}
		})
	}
}

func TestCommandOnceOverPowerCut(t *testing.T) {
	r := newRig(t, mqtt.V5)
	d, stop := r.start()
	r.subscribed(0)
	r.b.Publish(broker.Message{Topic: "thermostat/t1/command", Payload: []byte(`{"id":"c1","set":{"target_tenths":215}}`), QoS: 1, Retain: true})
	r.published(0, "thermostat/t1/event", `"applied":"c1"`)
	d.Cut()
	stop()
	r.b.ForgetAll()
	mark := r.log.Len()
	r.b.Publish(broker.Message{Topic: "thermostat/t1/command", Payload: []byte(`{"id":"c1","set":{"target_tenths":215}}`), QoS: 1, Retain: true})
	r.start()
	r.console(mark, "duplicate c1")
	if n := r.count(0, func(e evidence.Event) bool { return e.Text == "applied c1" }); n != 1 {
		t.Errorf("applied %d times", n)
	}
	r.published(mark, "thermostat/t1/state", `"target":21.5`)
}

func TestRejectsBadPayloads(t *testing.T) {
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	bad := []string{
		``, `{`, `[]`, `null`, `{"id":"x"}`, `{"id":"x","set":{"target_tenths":"9"}}`, `{"id":"x","set":{"target_tenths":1e400}}`,
		`{"id":"x","set":{"target_tenths":NaN}}`, `{"id":"x","set":{"target_tenths":9999}}`, `{"id":"x","set":{"target_tenths":1.5}}`,
		`{"id":"x","id":"y","set":{"target_tenths":9}}`, `{"id":7,"set":{"target_tenths":9}}`, `{"id":"x","set":[]}`, `{"id":"x","set":{}}`,
		"{\"id\":\"\xff\",\"set\":{\"target_tenths\":9}}", `{"id":"x","a":` + deep + `,"set":{"target_tenths":9}}`,
		`{"id":"x","set":{"target_tenths":9}} x`, `{"id":"x","do":"explode"}`,
	}
	d := New(Config{})
	for _, payload := range bad {
		if c, err := d.parseCommand([]byte(payload)); err == nil {
			t.Errorf("%.60q is taken: %+v", payload, c)
		}
	}
	good := map[string]int{
		`{"id":"x","set":{"target_tenths":9,"more":[1,{}]},"extra":null}`: 9,
		`{"id":"🌡️","set":{"target_tenths":3000}}`:                        3000,
	}
	for payload, want := range good {
		c, err := d.parseCommand([]byte(payload))
		if err != nil || c.target != want {
			t.Errorf("%s gives %+v, %v", payload, c, err)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add([]byte(`{"id":"x","set":{"target_tenths":9}}`))
	f.Add([]byte(`{"id":"x","do":"reboot"}`))
	d := New(Config{})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := d.parseCommand(data)
		if err == nil && (c.id == "" || c.target < 0 || c.target > maxTarget) {
			t.Errorf("%q gives %+v", data, c)
		}
	})
}

func TestRebootsOnceByCommand(t *testing.T) {
	r := newRig(t, mqtt.V5)
	r.start()
	r.subscribed(0)
	r.command(`{"id":"r1","do":"reboot"}`)
	r.console(0, "boot 2")
	mark := r.log.Len()
	r.command(`{"id":"r1","do":"reboot"}`)
	r.console(mark, "duplicate r1")
}

func TestOfflineBufferDrainsInOrder(t *testing.T) {
	r := newRig(t, mqtt.V5)
	_, stop := r.start()
	r.published(0, "thermostat/t1/telemetry", `"seq":1,`)
	r.setDown(true)
	mark := r.log.Len()
	r.b.Conn("t1").Reset()
	for range 4 {
		e := r.await(mark, "attempt", func(e evidence.Event) bool { return e.Kind == evidence.Refused })
		mark = e.N + 1
	}
	r.setDown(false)
	r.console(mark, "online")
	r.published(mark, "thermostat/t1/telemetry", `"seq":9,`)
	stop()
	last := 0
	for _, e := range r.log.Since(0) {
		p, ok := e.Data.(*mqtt.Packet)
		if !ok || e.Kind != evidence.In || p.Type != mqtt.PUBLISH || p.Topic != "thermostat/t1/telemetry" || p.Dup {
			continue
		}
		var seq int
		if _, err := fmt.Sscanf(string(p.Payload), `{"seq":%d,`, &seq); err != nil {
			t.Fatal(err)
		}
		if seq != last+1 {
			t.Errorf("reading %d follows %d", seq, last)
		}
		last = seq
	}
}
