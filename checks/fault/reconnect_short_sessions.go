package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ReconnectShortSessions ends every session after three seconds, so that a pause of one second more makes no storm, and it is the growth
// that decides.
var ReconnectShortSessions = &check.Check{
	ID:    "fault.reconnect-short-sessions",
	Title: "Backs off when its sessions last three seconds only",
	Why: "A server that is overloaded drops its clients seconds after it took them in. Clients that count three seconds as a " +
		"success all come back at once, and it stays overloaded.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing; an immediate first retry after a session of 30 s is in order, and not " +
		"tried here",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; start anew only after a " +
		"session of 10 s or more, never because CONNACK came",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.short-sessions"},
	Sources: []string{
		"AWS IoT Device Advisor, test MQTT Reconnect Backoff Retries On Server Disconnect (other criterion: the pauses " +
			"alone, whatever the length of the session)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while sessions last 3 s", running: true,
			begin: afterConnack(closedAfter(t, 3*time.Second)),
		}.run(ctx, t)
	},
}
