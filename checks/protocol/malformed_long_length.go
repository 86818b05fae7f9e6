package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedLongLength sends remaining lengths of five bytes, where four are the most.
var MalformedLongLength = &check.Check{
	ID:    "protocol.malformed-long-length",
	Title: "Closes on a remaining length of five bytes",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "let the MQTT library check what it decodes, or take one that does; close the connection on the first error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.varint-5"},
	Sources:      []string{"MQTT 3.1.1 section 2.2.3", "MQTT-1.5.5-1 and section 1.5.5 (5.0)", "MQTT-4.8.0-1 (3.1.1)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			return []injection{
				{what: "a PUBLISH with its length padded to five bytes", raw: padded(c)},
				{what: "a PUBLISH with a length of five bytes, 32 GiB", raw: []byte{byte(mqtt.PUBLISH) << 4, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}},
			}
		})
	},
}

// padded is the carried PUBLISH with its length in five bytes.
func padded(c carrier) []byte {
	body := c.body()
	raw := []byte{byte(mqtt.PUBLISH) << 4}
	for i := range 4 {
		raw = append(raw, byte(len(body)>>(7*i))&0x7F|0x80)
	}
	return append(append(raw, 0), body...)
}
