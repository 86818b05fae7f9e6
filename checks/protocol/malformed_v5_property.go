package protocol

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedV5Property sends a repeated property, an unknown one, and an unknown reason code.
var MalformedV5Property = &check.Check{
	ID:    "protocol.malformed-v5-property",
	Title: "Closes on wrong properties and reason codes",
	Why: "One such packet, from a broker with a bug or from someone on the way, and the two sides no longer agree on what was said. " +
		"A device that goes on acts on commands that nobody gave, or hangs until somebody pulls the plug.",
	Pass:         "closes the connection within 5 s, carries nothing of it out, connects anew and works; never deaf, never crashed",
	Fix:          "let the MQTT library check what it decodes, or take one that does; close the connection on the first error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.v5-dup-property"},
	Sources:      []string{"MQTT 5.0 sections 2.2.2.2, 2.4 and 3.3.2.3", "MQTT 5.0 section 4.13.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, func(c carrier) []injection {
			twice := mqtt.Properties{{ID: mqtt.PayloadFormat, Int: 1}, {ID: mqtt.PayloadFormat, Int: 1}}
			text := binary.BigEndian.AppendUint16(nil, uint16(len(c.Topic)))
			unknown := append(append(text, c.Topic...), 2, 0x7E, 1) // two bytes of properties: 0x7E is none
			code := mqtt.Packet{Type: mqtt.PUBACK, Version: mqtt.V5, ID: unknownID, Code: 0x55}
			return []injection{
				c.with("a PUBLISH with a property twice", func(p *mqtt.Packet) { p.Props = twice }),
				{what: "a PUBLISH with an unknown property", raw: mqtt.Frame(byte(mqtt.PUBLISH)<<4, append(unknown, c.Payload...))},
				{what: "a PUBACK with an unknown reason code", raw: code.Bytes()},
			}
		})
	},
}
