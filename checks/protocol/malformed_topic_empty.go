package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedTopicEmpty sends a PUBLISH with an empty topic name, in 5.0 without a topic alias.
var MalformedTopicEmpty = &check.Check{
	ID:    "protocol.malformed-topic-empty",
	Title: "Closes on an empty topic name",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "let the MQTT library check what it decodes, or take one that does; close the connection on the first error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.topic-empty"},
	Sources:      []string{"MQTT-4.7.3-1", "MQTT 5.0 section 3.3.2.1", "MQTT-4.8.0-1 (3.1.1)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			return []injection{c.with("a PUBLISH with an empty topic", func(p *mqtt.Packet) { p.Topic = "" })}
		})
	},
}
