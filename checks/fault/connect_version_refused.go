package fault

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ConnectVersionRefused plays a broker that knows MQTT 3.1.1 only.
var ConnectVersionRefused = &check.Check{
	ID:    "fault.connect-version-refused",
	Title: "Falls back to MQTT 3.1.1, or backs off, when 5.0 is refused",
	Why: "A broker is replaced or downgraded, and no longer speaks 5.0. A client that tries both versions in turn without a " +
		"pause makes two connections for each failure.",
	Pass: "MQTT 3.1.1 on one of the next connections, or pauses as in every other outage: at most 20 retries in 60 s, growing; " +
		"back within twice the declared reconnect_cap (5 min when none is declared) of the healing; no fallback is told for " +
		"information",
	Fix:          "fall back to 3.1.1 once, with a pause, or wait as after any failed attempt",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.connect.v5-refused"},
	Sources: []string{
		"MQTT-3.1.2-2",
		"MQTT 5.0 section 3.2.2.2, reason code 0x84",
		"measured: a client library that connects twice in each cycle",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:  check.Disturbs,
	Typical: 40 * time.Second,
	Limit:   45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while only MQTT 3.1.1 is spoken", running: true,
			begin: refuseNewVersion,
			enough: func(r *ordeal) bool {
				return fellBack(r.tries()) || classify(r.attempts, r.tick) != undecided
			},
			judge: judgeVersionRefused,
		}.run(ctx, t)
	},
}

// refuseNewVersion refuses 5.0 in turn as a broker does that has never heard of it, in the packet of 3.1.1, and as one that has.
func refuseNewVersion(t *check.T) (undo func(), err error) {
	var n atomic.Int32
	return t.Broker.When(broker.Rule{
		Dir: broker.In, Type: mqtt.CONNECT,
		Match: func(_ *broker.Conn, p *mqtt.Packet) bool { return p.Connect.Level == mqtt.V5 },
		Do: func(ex *broker.Exchange) {
			ex.ThenClose()
			if n.Add(1)%2 == 0 {
				ex.Answer(&mqtt.Packet{Type: mqtt.CONNACK, Code: 0x84})
				return
			}
			ex.Answer(&mqtt.Packet{Type: mqtt.CONNACK, Version: mqtt.V311, Code: 1})
		},
	}), nil
}

// fellBack reports whether MQTT 3.1.1 was accepted.
func fellBack(tries []testbed.Attempt) bool {
	for _, a := range tries {
		if !a.Accepted.IsZero() && a.Connect != nil && a.Connect.Connect.Level == mqtt.V311 {
			return true
		}
	}
	return false
}

func judgeVersionRefused(r ordeal) []check.Finding {
	if fellBack(r.tries()) {
		return nil
	}
	return append(judgePattern(r), check.Finding{
		Severity: check.Info,
		Title:    "Does not fall back to MQTT 3.1.1",
		Expected: "MQTT 3.1.1 after 5.0 was refused, if the product is to work with older brokers",
		Seen:     fmt.Sprintf("%s, all with MQTT 5.0", counted(len(r.tries()), "attempt")),
		Evidence: r.evidence("the attempts"),
	})
}
