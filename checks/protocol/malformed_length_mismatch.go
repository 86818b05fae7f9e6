package protocol

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedLengthMismatch sends packets whose lengths do not agree.
var MalformedLengthMismatch = &check.Check{
	ID:    "protocol.malformed-length-mismatch",
	Title: "Closes on lengths that do not agree",
	Why: "A length that is believed unchecked is how memory is overwritten, and how one packet is read as another. " +
		"One packet then stops the device, or makes it obey whoever sent it.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "never read past the remaining length, and never treat what is left of a packet as the next one",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h", "CRA:I.2j"},
	Rows:         []string{"mqtt.malformed.length-mismatch"},
	Sources:      []string{"MQTT 3.1.1 sections 2.2.3 and 3.13", "MQTT 5.0 sections 2.1.4 and 3.13", "MQTT-4.8.0-1 (3.1.1)", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			topic := binary.BigEndian.AppendUint16(nil, uint16(len(c.Topic)))
			topic = append(topic, c.Topic...)
			past := append([]byte{0x7F, 0xFF}, topic[2:]...)
			return []injection{
				{what: "a PINGRESP with a PUBLISH inside", raw: mqtt.Frame(byte(mqtt.PINGRESP)<<4, c.Bytes())},
				{what: "a PUBLISH whose topic reaches past its end", raw: mqtt.Frame(byte(mqtt.PUBLISH)<<4, append(past, c.Payload...))},
				{what: "a PUBLISH that ends before its packet id", raw: mqtt.Frame(byte(mqtt.PUBLISH)<<4|2, topic)},
			}
		})
	},
}
