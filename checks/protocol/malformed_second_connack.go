package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedSecondConnack sends another CONNACK in a session.
var MalformedSecondConnack = &check.Check{
	ID:    "protocol.malformed-second-connack",
	Title: "Survives a second CONNACK",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "in 5.0 closes the connection within 5 s; in 3.1.1 closes it or passes over the packet; then works; never deaf, never crashed",
	Fix:          "handle CONNACK only while one is awaited",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.second-connack"},
	Sources:      []string{"MQTT-3.2.0-2 (5.0)", "MQTT-3.2.0-1 (3.1.1, which does not speak of a second one)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			want := closes
			if c.Version != mqtt.V5 {
				want = mayClose
			}
			again := mqtt.Packet{Type: mqtt.CONNACK, Version: c.Version}
			refusal := mqtt.Packet{Type: mqtt.CONNACK, Version: c.Version, Code: 3}
			if c.Version == mqtt.V5 {
				refusal.Code = 0x88
			}
			return []injection{
				{what: "a second CONNACK", raw: again.Bytes(), want: want},
				{what: "a second CONNACK that refuses", raw: refusal.Bytes(), want: want},
			}
		})
	},
}
