package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ReconnectAcceptClose closes every connection right after it was accepted, as a load balancer without a server behind it does.
var ReconnectAcceptClose = &check.Check{
	ID:    "fault.reconnect-accept-close",
	Title: "Backs off while its connections are closed as soon as they are accepted",
	Why: "A load balancer whose servers are down accepts and closes. A fleet that takes the accepted connection for a success " +
		"tries again at once, and keeps the servers from coming up.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing",
	Fix:          "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.accept-close"},
	Sources: []string{
		"AWS IoT Device Advisor, tests MQTT Connect Jitter Backoff Retries and MQTT Connect Exponential Backoff Retries " +
			"(other criterion: five attempts, exponential alone only warns)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{during: "while connections are closed as soon as they are accepted", running: true, begin: acceptsAndCloses}.run(ctx, t)
	},
}
