package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ReconnectUnavailable refuses every CONNECT as a server that is unavailable or busy does.
var ReconnectUnavailable = &check.Check{
	ID:    "fault.reconnect-unavailable",
	Title: "Backs off and returns when the server says that it is unavailable",
	Why: "Server unavailable is how a broker asks for patience, in an upgrade or under load. A client that takes the refusal " +
		"for final never comes back, and its owner believes that the product is broken.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; treat return code 3 and " +
		"reason codes 0x88 and 0x89 as a passing fault, never as the end",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-072"},
	Rows:         []string{"mqtt.backoff.connack-unavailable"},
	Sources: []string{
		"MQTT 3.1.1 section 3.2.2.3, return code 3",
		"MQTT 5.0 section 3.2.2.2, reason codes 0x88 and 0x89",
		"measured: two widespread clients never return",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 65 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while CONNECT is refused as server unavailable", running: true,
			begin: refusing(0x88, 0x89),
		}.run(ctx, t)
	},
}
