package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedReservedType sends packets of a reserved type, and in 5.0 an AUTH that nobody asked for.
var MalformedReservedType = &check.Check{
	ID:    "protocol.malformed-reserved-type",
	Title: "Closes on a packet of a reserved type",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "let the MQTT library check what it decodes, or take one that does; close the connection on the first error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.reserved-type"},
	Sources:      []string{"MQTT 3.1.1 table 2.1", "MQTT 5.0 table 2-1 and section 4.12", "MQTT-4.8.0-1 (3.1.1)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			zero := injection{what: "a packet of type 0", raw: mqtt.Frame(0, nil)}
			if c.Version != mqtt.V5 {
				return []injection{zero, {what: "a packet of type 15", raw: mqtt.Frame(0xF0, nil)}}
			}
			auth := mqtt.Packet{Type: mqtt.AUTH, Version: mqtt.V5, Code: 0x18, Props: mqtt.Properties{{ID: mqtt.AuthMethod, Text: "shakedown"}}}
			return []injection{zero, {what: "an AUTH without an authentication method in CONNECT", raw: auth.Bytes()}}
		})
	},
}
