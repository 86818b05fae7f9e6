package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// TLSAlertLoop answers every ClientHello with a fatal alert.
var TLSAlertLoop = &check.Check{
	ID:    "fault.tls-alert-loop",
	Title: "Backs off when its handshakes are refused, and returns soon",
	Why: "At the end of a certificate or in a bad roll-out of a gateway no handshake succeeds. A device that takes the alert " +
		"for final, or restarts because of it, does not come back when the server is in order.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within the declared reconnect_cap (5 min " +
		"when none is declared) of the healing",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; treat an alert like any " +
		"failed attempt, and do not keep it in a state from which only a restart leads",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"tls.alert.loop"},
	Sources:      []string{"RFC 8446 section 6.2", "AWS IoT Device Advisor, note that the endpoint denies TLS between cases"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Restarts,
	Typical:      40 * time.Second,
	Limit:        45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while handshakes are refused with an alert", caps: 1,
			begin: func(t *check.T) (func(), error) { return t.Endpoint.AlertHello(handshakeFailure), nil },
		}.run(ctx, t)
	},
}

// handshakeFailure is the alert description of RFC 8446, section 6.
const handshakeFailure = 40
