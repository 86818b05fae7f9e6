package broker

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestSilentClient(t *testing.T) {
	for name, patient := range map[string]bool{"is cut off, and its will is told of": false, "is waited for by a patient broker": true} {
		t.Run(name, func(t *testing.T) {
			b := open(t, 100, func(o *Options) { o.Patient = patient })
			c, _ := b.connect(mqtt.V311, "silent", func(p *mqtt.Packet) {
				p.Connect.KeepAlive = 10
				p.Connect.Will = &mqtt.Will{Topic: "silent/status", Payload: []byte("gone"), Retain: true}
			})
			if !patient {
				e := b.await(0, func(e evidence.Event) bool { _, ok := Willed(e); return ok })
				if p, _ := Willed(e); p.Topic != "silent/status" || string(p.Payload) != "gone" || !p.Retain {
					t.Errorf("will is %v", p)
				}
				return
			}
			if err := b.clock.Sleep(t.Context(), 30*time.Second); err != nil {
				t.Fatal(err)
			}
			c.send(&mqtt.Packet{Type: mqtt.PINGREQ})
			if p := c.next(); p == nil || p.Type != mqtt.PINGRESP {
				t.Errorf("after three keep-alives of silence a ping is answered with %v", p)
			}
		})
	}
}
