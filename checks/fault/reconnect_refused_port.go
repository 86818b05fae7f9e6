package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ReconnectRefusedPort closes the port before the device is switched on.
var ReconnectRefusedPort = &check.Check{
	ID:    "fault.reconnect-refused-port",
	Title: "Backs off while its port is closed",
	Why: "After a power failure in a town its devices are back before the server is. A fleet that knocks without a pause " +
		"keeps the server down, and a device that gives up has to be switched off and on by its owner.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; a refused first attempt " +
		"is retried like any other",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.refused-port"},
	Sources: []string{
		"AWS IoT Device Advisor, tests MQTT Connect Jitter Backoff Retries and MQTT Connect Exponential Backoff Retries " +
			"(other criterion: five attempts, exponential alone only warns)",
		"RFC 6298 section 5 (doubling), and Exponential Backoff And Jitter, AWS Architecture Blog",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Restarts,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{during: "while the port is closed", begin: refuses, blind: unseen(t)}.run(ctx, t)
	},
}
