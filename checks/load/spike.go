package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// Spike has the fleet send ten times as much for a third of the time.
var Spike = &check.Check{
	ID:    "load.spike",
	Title: "Loses nothing when ten times as many messages come",
	Why: "At seven in the morning, or when a storm passes, all devices have something to say at once. A backend that is sized for the mean " +
		"acknowledges then what it has no room for, and nobody notices before the bills are wrong.",
	Pass: "while ten times as many messages come as usual, for 60 s or a third of the course, no device is dropped or refused, every message is " +
		"acknowledged, and every one that was acknowledged arrives",
	Fix:          "acknowledge a message only when it is safe; bound queues and let senders wait",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"MQTT 3.1.1 section 4.3.2: the receiver of QoS 1 has accepted ownership when it acknowledges", "the factor is ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          spike,
}

func spike(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	l := testbed.Load{Fleet: f, Shape: "morning-spike", For: span(f, 18*time.Second, 0.33)}
	if t.Clock.Device(time.Second) == time.Second { // a real one: long enough for queues to fill
		l.For = max(l.For, 3*time.Minute)
	}
	t.Step("%d devices send ten times as much for %s", f.Devices, min(time.Minute, l.For/3))
	r, err := played(ctx, t, "Ten times as many messages", l, showsAcks)
	if err != nil {
		return err
	}
	return findIn(t, r, judgeSpike(r))
}

func judgeSpike(r *series.Record) []check.Finding {
	found := judgeHarm("Does harm to devices or their messages at ten times the usual load", r)
	if len(found) == 0 && r.Totals.Counts[series.Withheld] > r.Totals.Counts[series.Sent]/10 {
		found = []check.Finding{{
			Severity: check.Major, Title: "Falls so far behind at ten times the usual load that devices can't send",
			Seen: fmt.Sprintf("%d of %d messages that were due could not be sent, as too many waited for their acknowledgement",
				r.Totals.Counts[series.Withheld], r.Totals.Counts[series.Withheld]+r.Totals.Counts[series.Sent]),
		}}
	}
	return found
}
