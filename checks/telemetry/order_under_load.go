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

// OrderUnderLoad has devices send faster than their window lets them, with a backlog after a cut.
var OrderUnderLoad = &check.Check{
	ID:    "telemetry.order-under-load",
	Title: "Keeps the messages of a topic in order, also under load and after an outage",
	Why: "A device that was offline sends its backlog, then what is new. Where the order is lost, an old state overwrites a new one: " +
		"the door shows as open, the heating as off.",
	Pass: "of the numbered messages of QoS 1 of up to 40 devices, with two in flight and a backlog after all connections were cut, none arrives " +
		"after a later one of its topic",
	Fix:          "let one worker at a time handle the messages of a topic or a device; put a number into each message, and let the last consumer go by it",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f"},
	Incidents:    []string{"INC-107", "INC-108"},
	Rows:         []string{"telemetry.order.backlog"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 section 4.6"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        5 * time.Minute,
	Run:          orderUnderLoad,
}

func orderUnderLoad(ctx context.Context, t *check.T) error {
	f, err := t.Few(ctx, 40, 1, 500*time.Millisecond)
	if err != nil {
		return err
	}
	span := check.Span(f, 12*time.Second)
	for i := range f.Classes {
		c := &f.Classes[i]
		c.Commands, c.Window, c.Buffer = nil, 2, 1000
		c.Backoff = &product.Backoff{First: product.Duration(span / 6), Factor: 1, Cap: product.Duration(span / 6), Jitter: "equal"}
	}
	t.Step("%d devices send two messages a second each for %s; half-way they are cut off for up to %s", f.Devices, span, span/6)
	l := testbed.Load{Fleet: f, Shape: "reconnect-storm", For: span}
	return accounted(ctx, t, l, "the fleet sends, is cut off and sends its backlog", func(m count.Totals) []check.Finding {
		t.Measure("messages out of order", float64(m.Late), "", "<= 0")
		return judgeOrder(m)
	})
}

func judgeOrder(m count.Totals) []check.Finding {
	if m.Late == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Changes the order of messages of one topic",
		Seen:  fmt.Sprintf("%d of %d messages arrived after a later one of the same topic%s", m.Late, m.Arrived, check.Such(m, "late")),
	}}
}
