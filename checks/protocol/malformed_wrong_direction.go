package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedWrongDirection sends packets that only clients send.
var MalformedWrongDirection = &check.Check{
	ID:    "protocol.malformed-wrong-direction",
	Title: "Closes on packets that only clients send",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "handle only the packet types that a server sends",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.wrong-direction"},
	Sources:      []string{"MQTT 3.1.1 table 2.1", "MQTT 5.0 table 2-1", "MQTT-4.8.0-1 (3.1.1)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			subscribe := mqtt.Packet{Type: mqtt.SUBSCRIBE, Version: c.Version, ID: unknownID, Filters: []mqtt.Subscription{{Filter: c.Topic}}}
			connect := mqtt.Packet{
				Type: mqtt.CONNECT, Version: c.Version,
				Connect: &mqtt.Connect{Protocol: "MQTT", Level: c.Version, Clean: true, KeepAlive: 60, ClientID: "shakedown"},
			}
			return []injection{
				{what: "a SUBSCRIBE", raw: subscribe.Bytes(), answers: is(mqtt.SUBACK)},
				{what: "a CONNECT", raw: connect.Bytes(), answers: is(mqtt.CONNACK)},
			}
		})
	},
}

func is(t mqtt.Type) func(*mqtt.Packet) bool {
	return func(p *mqtt.Packet) bool { return p.Type == t }
}
