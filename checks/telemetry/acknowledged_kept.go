package telemetry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// AcknowledgedKept cuts a fleet off in the middle of its messages, and asks for every one that was acknowledged.
var AcknowledgedKept = &check.Check{
	ID:    "telemetry.acknowledged-kept",
	Title: "Keeps every message that it acknowledged",
	Why: "A device deletes what is acknowledged. A backend that acknowledges before it has stored loses readings at every hiccup, " +
		"and nobody notices until a bill or a proof is asked for.",
	Pass: "of the numbered messages of QoS 1 of up to 40 devices, whose connections are all cut half-way, every one that was acknowledged reaches " +
		"a subscriber",
	Fix:          "acknowledge a message when it is stored or handed on, not when it is read",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"telemetry.loss.accounting"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 section 4.3.2: PUBACK means that the receiver has taken over the message"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        5 * time.Minute,
	Run:          acknowledgedKept,
}

func acknowledgedKept(ctx context.Context, t *check.T) error {
	f, err := t.Few(ctx, 40, 1, time.Second)
	if err != nil {
		return err
	}
	for i := range f.Classes {
		f.Classes[i].Buffer, f.Classes[i].Commands = max(f.Classes[i].Buffer, 50), nil
	}
	span := check.Span(f, 12*time.Second)
	t.Step("%d devices send a message a second each for %s; half-way all connections are cut", f.Devices, span)
	l := testbed.Load{Fleet: f, Shape: "reconnect-storm", For: span}
	return accounted(ctx, t, l, "the fleet is cut off and comes back", func(m count.Totals) []check.Finding {
		t.Measure("acknowledged messages that never arrived", float64(m.LostAcked), "", "<= 0")
		return judgeKept(m)
	})
}

func judgeKept(m count.Totals) []check.Finding {
	if m.LostAcked == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Loses messages that it acknowledged",
		Seen: fmt.Sprintf("%d of %d acknowledged messages never reached the subscriber%s; %d of %d arrived", m.LostAcked, m.Acked,
			check.Such(m, "lost_acked"), m.Arrived, m.Sent),
	}}
}
