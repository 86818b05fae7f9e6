package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// TLSAbortLoop resets every connection after its ClientHello.
var TLSAbortLoop = &check.Check{
	ID:    "fault.tls-abort-loop",
	Title: "Backs off when its handshakes are reset",
	Why: "At the end of a certificate or in a bad roll-out of a gateway no handshake succeeds. Handshakes are the dearest " +
		"thing that a client can ask of a server: a fleet that repeats them without a pause is an attack.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; count a failed handshake " +
		"as a failed attempt",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"tls.handshake.abort-loop"},
	Sources: []string{
		"AWS IoT Device Advisor, tests MQTT Connect Jitter Backoff Retries and MQTT Connect Exponential Backoff Retries " +
			"(other criterion: five attempts, exponential alone only warns)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:  check.Restarts,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while handshakes are reset",
			begin:  func(t *check.T) (func(), error) { return t.Endpoint.AbortHello(true), nil },
		}.run(ctx, t)
	},
}
