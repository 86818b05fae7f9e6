package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedTopicUtf8 sends topic names that are not UTF-8.
var MalformedTopicUtf8 = &check.Check{
	ID:    "protocol.malformed-topic-utf8",
	Title: "Closes on a topic name that is not UTF-8",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "let the MQTT library check what it decodes, or take one that does; close the connection on the first error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.topic-bad-utf8"},
	Sources:      []string{"MQTT-1.5.3-1 (3.1.1)", "MQTT-1.5.4-1 (5.0)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			return []injection{
				c.with("a PUBLISH with ill-formed UTF-8 in its topic", func(p *mqtt.Packet) { p.Topic += "\xc3\x28" }),
				c.with("a PUBLISH with a surrogate in its topic", func(p *mqtt.Packet) { p.Topic += "\xed\xa0\x80" }),
			}
		})
	},
}
