package broker

import (
	"net"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// Behind an endpoint, packets carry the link's connection number, and the link tells how the broker ended the connection.
func TestServesAnEndpoint(t *testing.T) {
	for how, end := range map[string]func(*Conn){"we fin": (*Conn).Close, "we reset": (*Conn).Reset} {
		t.Run(how, func(t *testing.T) {
			b := open(t, 1, nil)
			s, err := link.NewStream("cloud", func() (net.Listener, error) { return net.Listen("tcp4", "127.0.0.1:0") }, b.clock, b.log)
			if err != nil {
				t.Fatal(err)
			}
			e := endpoint.New(endpoint.Options{Part: "cloud", Clock: b.clock, Log: b.log, Stream: s, Handle: b.Serve})
			defer e.Close()
			for number := 1; number <= 2; number++ {
				nc, err := net.Dial("tcp4", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				if number == 1 { // never reaches the broker as MQTT
					continue
				}
				c := &client{t: t, nc: nc, rd: mqtt.NewReader(nc, 100), v: mqtt.V5}
				c.send(&mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "MQTT", Level: mqtt.V5, ClientID: "dev"}})
				c.want("CONNACK 00")
			}
			if n := b.Conn("dev").Number(); n != 2 {
				t.Errorf("number %d, want 2", n)
			}
			end(b.Conn("dev"))
			b.await(0, func(e evidence.Event) bool { return e.Kind == evidence.Close && e.Conn == 2 && e.Text == how })
			b.Close()
		})
	}
}
