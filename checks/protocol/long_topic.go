package protocol

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// LongTopic sends messages with long topic names.
var LongTopic = &check.Check{
	ID:    "protocol.long-topic",
	Title: "Survives topic names of any length",
	Why: "A topic name may have 65,535 bytes, and many clients copy it into a buffer of a few hundred. " +
		"One such message then crashes every device that hears it.",
	Pass:         "works on after topic names of 1,024 and 65,535 bytes, on the same connection or a new one; never deaf, never crashed",
	Fix:          "take the topic's length from the packet and pass over names that are longer than the buffer",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.topic.length"},
	Sources:      []string{"MQTT-4.7.3-3", "HiveMQ mqtt-cli, topic test"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		s, err := t.Online(ctx)
		if err != nil {
			return err
		}
		return injectEachOn(ctx, t, s, func(c carrier) []injection { return longTopics(s, c) })
	},
}

// longTopics are those that fit into what the device takes. They hold a command, since another payload may be what the device does
// not bear; whether it looks at the topic before it carries the command out is not judged.
func longTopics(s *testbed.Session, c carrier) []injection {
	var all []injection
	for _, n := range []int{1024, 65535} {
		in := c.with(fmt.Sprintf("a PUBLISH with a topic of %d bytes", n), func(p *mqtt.Packet) {
			p.Topic += "/" + strings.Repeat("x", n-len(p.Topic)-1)
		})
		in.want, in.allowed = mayClose, true
		if takes(s, len(in.raw)) {
			all = append(all, in)
		}
	}
	return all
}

// takes reports whether the device allows a packet of so many bytes [MQTT-3.1.2-24 of 5.0].
func takes(s *testbed.Session, size int) bool {
	most := s.Connect.Props.Int(mqtt.MaximumPacketSize, 0)
	return s.Version != mqtt.V5 || most == 0 || size <= int(most)
}
