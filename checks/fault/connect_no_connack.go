package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ConnectNoConnack accepts connections and never answers CONNECT.
var ConnectNoConnack = &check.Check{
	ID:    "fault.connect-no-connack",
	Title: "Gives up an attempt that gets no CONNACK, and backs off",
	Why: "A broker that hangs takes connections and says nothing. A device without a timeout waits for it for ever, long " +
		"after the broker was repaired.",
	Pass: "each attempt given up within 60 s; pauses that at least double from the first third to the last over 5 retries (3 " +
		"when they take a minute), differ by chance from an exact doubling, and make at most 20 retries in 60 s; back within " +
		"twice the declared reconnect_cap (5 min when none is declared) of the healing",
	Fix:          "start a timer of 10 to 30 s with CONNECT, and treat its end as a failed attempt",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.connect.no-connack"},
	Sources: []string{
		"AWS IoT Device Advisor, tests MQTT Connect Jitter Backoff Retries and MQTT Connect Exponential Backoff Retries " +
			"(other criterion: five attempts unanswered and the sixth accepted; no limit for one attempt)",
		"MQTT 3.1.1 section 3.2, non-normative: close when no CONNACK comes within a reasonable time",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Restarts,
	Typical: 80 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while CONNECT is not answered",
			begin:  onConnect(func(*check.T, int, *broker.Exchange) {}),
		}.run(ctx, t)
	},
}
