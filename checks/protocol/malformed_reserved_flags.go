package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedReservedFlags sends packets whose fixed header has flags that it must not have.
var MalformedReservedFlags = &check.Check{
	ID:    "protocol.malformed-reserved-flags",
	Title: "Closes on wrong flags in the fixed header",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "let the MQTT library check what it decodes, or take one that does; close the connection on the first error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.reserved-flags"},
	Sources:      []string{"MQTT-2.2.2-2 (3.1.1)", "MQTT-2.1.3-1 (5.0)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(carrier) []injection {
			return []injection{
				{what: "a PINGRESP with the flags 0001", raw: mqtt.Frame(byte(mqtt.PINGRESP)<<4|1, nil)},
				{what: "a PUBREL with the flags 0000", raw: mqtt.Frame(byte(mqtt.PUBREL)<<4, []byte{0xEA, 0xDB})},
			}
		})
	},
}
