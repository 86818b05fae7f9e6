package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedTopicNul sends a topic name that is the device's own up to a NUL.
var MalformedTopicNul = &check.Check{
	ID:    "protocol.malformed-topic-nul",
	Title: "Does not take a topic name with a NUL for its own",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "carries nothing of it out; closes the connection or, in 3.1.1, passes over it, and works; never deaf, never crashed",
	Fix:          "compare topics by length and bytes, not as C strings",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.topic-nul"},
	Sources:      []string{"MQTT-1.5.3-2 (3.1.1: may close)", "MQTT-1.5.4-2 (5.0: malformed packet)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			return []injection{nulTopic(c)}
		})
	},
}

// nulTopic may be passed over in 3.1.1 [MQTT-1.5.3-2]; in 5.0 it is a malformed packet (section 1.5.4).
func nulTopic(c carrier) injection {
	in := c.with("a PUBLISH with a NUL in its topic", func(p *mqtt.Packet) { p.Topic += "\x00x" })
	if c.Version != mqtt.V5 {
		in.want = mayClose
	}
	return in
}
