package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ReconnectAfterConnackReset ends every session with a RST right after CONNACK.
var ReconnectAfterConnackReset = &check.Check{
	ID:    "fault.reconnect-after-connack-reset",
	Title: "Backs off when its sessions are reset right after CONNACK",
	Why: "A NAT or a firewall that has lost its state answers with resets. A client that handles a FIN well may still take a " +
		"reset for an error of its own, and try again at once.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; start anew only after a " +
		"session of 10 s or more, never because CONNACK came",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.after-connack-rst"},
	Sources: []string{
		"AWS IoT Device Advisor, test MQTT Reconnect Backoff Retries On Unstable Connection (other criterion: the pauses " +
			"alone, and no reset)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while sessions are reset right after CONNACK", running: true,
			begin: afterConnack(broker.ThenReset()),
		}.run(ctx, t)
	},
}
