package device

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func raw(p mqtt.Packet, v mqtt.Version) []byte {
	p.Version = v
	return p.Bytes()
}

func TestMalformedInput(t *testing.T) {
	topic := func(s string) []byte { return append([]byte{0, byte(len(s))}, s...) }
	command := `{"id":"evil","set":{"target_tenths":77}}`
	publish := func(first byte, name string, id []byte) []byte {
		return mqtt.Frame(first, append(append(topic(name), id...), command...))
	}
	own := "thermostat/t1/command"
	for name, bytes := range map[string][]byte{
		"qos3":              publish(0x36, own, []byte{0, 9}),
		"topic-wildcard":    publish(0x32, "thermostat/t1/#", []byte{0, 9}),
		"topic-empty":       publish(0x32, "", []byte{0, 9}),
		"topic-bad-utf8":    publish(0x32, "thermostat/\xff/command", []byte{0, 9}),
		"topic-nul":         publish(0x32, "thermostat/t1/com\x00mand", []byte{0, 9}),
		"pid-zero":          publish(0x32, own, []byte{0, 0}),
		"dup-qos0":          publish(0x38, own, nil),
		"reserved-type":     {0x00, 0x00},
		"type-15":           {0xf0, 0x00},
		"reserved-flags":    {0xd5, 0x00},
		"pingresp-body":     {0xd0, 0x01, 0x00},
		"topic-beyond":      {0x30, 0x04, 0x01, 0x00, 'a', 'b'},
		"varint-5":          {0x30, 0xff, 0xff, 0xff, 0xff, 0x01},
		"second-connack":    raw(mqtt.Packet{Type: mqtt.CONNACK}, mqtt.V311),
		"subscribe":         raw(mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: 1, Filters: []mqtt.Subscription{{Filter: "a"}}}, mqtt.V311),
		"connect":           raw(mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: 4, ClientID: "x"}}, mqtt.V311),
		"256 MB announced":  {0x30, 0xff, 0xff, 0xff, 0x7f, 0x00},
		"stalled in packet": {0x30, 0x80, 0x01, 0x00},
	} {
		for _, version := range versions {
			t.Run(fmt.Sprintf("%s %s", name, version), func(t *testing.T) {
				t.Parallel()
				r := newRig(t, version)
				c := r.online()
				mark := r.log.Len()
				if err := c.SendRaw(name, bytes); err != nil {
					t.Fatal(err)
				}
				r.console(mark, "offline: ")
				r.console(mark, "online")
				r.command(`{"id":"good","set":{"target_tenths":5}}`)
				r.console(mark, "applied good")
				if n := r.count(mark, func(e evidence.Event) bool { return strings.Contains(e.Text, "evil") }); n > 0 {
					t.Error("what was in the packet was carried out")
				}
			})
		}
	}
}

func TestAcknowledgementsOfNothing(t *testing.T) {
	for _, version := range versions {
		t.Run(version.String(), func(t *testing.T) {
			r := newRig(t, version)
			c := r.online()
			for _, typ := range []mqtt.Type{mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP} {
				if err := c.Send(&mqtt.Packet{Type: typ, Version: version, ID: 4711}); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.Send(&mqtt.Packet{Type: mqtt.SUBACK, Version: version, ID: 4711, Codes: []byte{0}}); err != nil {
				t.Fatal(err)
			}
			answer := r.packet(0, "PUBCOMP", func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBCOMP && p.ID == 4711 })
			if code := answer.Data.(*mqtt.Packet).Code; version == mqtt.V5 && code != 0x92 {
				t.Errorf("PUBCOMP has code %#x", code)
			}
			r.command(`{"id":"good","set":{"target_tenths":5}}`)
			r.console(0, "applied good")
			if n := r.count(0, func(e evidence.Event) bool { return e.Kind == evidence.Console && strings.HasPrefix(e.Text, "offline") }); n > 0 {
				t.Error("the connection was given up")
			}
		})
	}
}
