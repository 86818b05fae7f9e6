package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// TLSStall reads the ClientHello and never answers it.
var TLSStall = &check.Check{
	ID:    "fault.tls-stall",
	Title: "Gives up a handshake that gets no answer, and backs off",
	Why: "A TLS gateway that hangs accepts connections and says nothing. A device without a timeout for the handshake waits " +
		"for it for ever, long after the gateway was repaired.",
	Pass: "each attempt given up within 60 s; pauses that at least double from the first third to the last over 5 retries (3 " +
		"when they take a minute), differ by chance from an exact doubling, and make at most 20 retries in 60 s; back within " +
		"twice the declared reconnect_cap (5 min when none is declared) of the healing",
	Fix:          "start a timer of 10 to 30 s with the connection, and end it only when CONNACK has come",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"tls.handshake.stall"},
	Sources: []string{
		"measured: clients give up after 10 to 60 s",
		"AWS IoT Device Advisor has no such test; its MQTT Connect tests withhold CONNACK in the same way",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:  check.Restarts,
	Typical: 80 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while the handshake is not answered",
			begin:  func(t *check.T) (func(), error) { return t.Endpoint.Stall(), nil },
		}.run(ctx, t)
	},
}
