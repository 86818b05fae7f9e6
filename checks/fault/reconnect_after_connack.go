package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ReconnectAfterConnack ends every session with a FIN right after CONNACK.
var ReconnectAfterConnack = &check.Check{
	ID:    "fault.reconnect-after-connack",
	Title: "Backs off when its sessions are closed right after CONNACK",
	Why: "A server that accepts a device and then drops it, because of a policy or a duplicate id, gets the next connection " +
		"at once from a client that starts its pauses anew at every CONNACK. One such device makes hundreds of connections a " +
		"second.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by " +
		"chance from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap (5 " +
		"min when none is declared) of the healing",
	Fix: "wait base × 2ⁿ with a random half before each retry, up to a cap between 30 s and 15 min; start anew only after a " +
		"session of 10 s or more, never because CONNACK came",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.after-connack"},
	Sources: []string{
		"AWS IoT Device Advisor, test MQTT Reconnect Backoff Retries On Unstable Connection (other criterion: the pauses " +
			"alone, no return in time)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while sessions are closed right after CONNACK", running: true,
			begin: afterConnack(broker.ThenClose()),
		}.run(ctx, t)
	},
}
