package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ReconnectUnauthorised refuses every CONNECT as not authorised or with bad credentials.
var ReconnectUnauthorised = &check.Check{
	ID:    "fault.reconnect-unauthorised",
	Title: "Retries rarely, but never stops, when it is not authorised",
	Why: "A mistake in a policy or a late registration locks out devices that are in order. When it is put right they must " +
		"return without anyone going to them, and until then they must not fill the log of every login.",
	Pass: "no storm (at most 20 retries in 60 s) and pauses that grow or are 30 s or more, over at most 5 retries; back within " +
		"twice the declared reconnect_cap (5 min when none is declared) of the healing; how it tells its user is not seen " +
		"here",
	Fix: "wait 30 s or more, growing, after return codes 4 and 5 or reason codes 0x86 and 0x87; show the state on the device " +
		"and in the app; never stop for good",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.connack-unauthorised"},
	Sources:      []string{"MQTT 3.1.1 section 3.2.2.3, return codes 4 and 5", "MQTT 5.0 section 3.2.2.2, reason codes 0x86 and 0x87"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      100 * time.Second,
	Limit:        45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while it is not authorised", running: true, sparse: true,
			begin: refusing(0x87, 0x86),
		}.run(ctx, t)
	},
}
