package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// unknownID is a packet id far from those that a client has given out so far.
const unknownID = 60123

// MalformedUnknownAck acknowledges what the device never sent.
var MalformedUnknownAck = &check.Check{
	ID:    "protocol.malformed-unknown-ack",
	Title: "Passes over acknowledgements of what it never sent",
	Why: "Late and repeated acknowledgements are common after a reconnect or a fail-over of the broker. " +
		"A device that crashes or hangs at one does so in the field, not in the lab.",
	Pass: "PUBACK, SUBACK and PUBREL for an unknown packet id leave the connection as it is, and it works on; " +
		"in 5.0 PUBREL is answered with PUBCOMP; never deaf, never crashed",
	Fix:          "look the packet id up before using what belongs to it, and pass over an id that is not there",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.unknown-ack", "mqtt.puback.unknown"},
	Sources:      []string{"MQTT-4.3.3-11 (5.0)", "MQTT 5.0 table 3-9: reason code 0x92 of PUBCOMP is not demanded here, since success harms nobody"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return injectEach(ctx, t, unknownAcks)
	},
}

func unknownAcks(c carrier) []injection {
	ack := func(what string, p mqtt.Packet) injection {
		p.Version, p.ID = c.Version, unknownID
		return injection{what: what, raw: p.Bytes(), want: ignores}
	}
	release := ack("a PUBREL for an unknown id", mqtt.Packet{Type: mqtt.PUBREL})
	if c.Version == mqtt.V5 {
		release.reply = mqtt.PUBCOMP
	}
	return []injection{
		ack("a PUBACK for an unknown id", mqtt.Packet{Type: mqtt.PUBACK}),
		ack("a SUBACK for an unknown id", mqtt.Packet{Type: mqtt.SUBACK, Codes: []byte{0}}),
		release,
	}
}
