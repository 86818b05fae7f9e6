package telemetry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// NoDuplicates counts what arrives twice, with and without reconnects.
var NoDuplicates = &check.Check{
	ID:    "telemetry.no-duplicates",
	Title: "Delivers no message twice without need",
	Why: "A reading that is counted twice is a wrong bill, an alarm that comes twice wakes people for nothing. " +
		"QoS 1 allows a second copy only where an acknowledgement can have been lost, and QoS 2 never.",
	Pass: "of the numbered messages of up to 30 devices none arrives twice at QoS 1 while the connections last, none at QoS 2 even when all " +
		"connections are cut, and at QoS 1 no more than two for each connection that was cut",
	Fix:          "look at what sends again: a retry within the broker, a bridge, or a store of what is in flight that is replayed at each reconnect",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f"},
	Incidents:    []string{"INC-089"},
	Rows:         []string{"telemetry.duplicate.none_effective"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 sections 4.3 and 4.4", "the two for each connection are ours: one message of the device and one command can be under way"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        6 * time.Minute,
	Run:          noDuplicates,
}

// copies is what arrived twice in one course.
type copies struct {
	course      string
	twice, of   uint64
	ends        uint64 // connections that ended in its course
	each        uint64 // copies that each of them allows
	such        string
	first, last int
}

func noDuplicates(ctx context.Context, t *check.T) error {
	for _, c := range []struct {
		shape string
		qos   int
	}{
		{"steady", 1},
		{"reconnect-storm", 1},
		{"reconnect-storm", 2},
	} {
		f, err := t.Few(ctx, 30, c.qos, 2*time.Second)
		if err != nil {
			return err
		}
		shape, allowed := c.shape, uint64(2)
		if c.qos == 2 {
			allowed = 0
		}
		for i := range f.Classes {
			k := &f.Classes[i]
			k.Buffer, k.Window, k.Persist = max(k.Buffer, 20), 1, c.qos == 2
			if c.qos == 2 { // what comes to a device is not told apart by its packet identifier
				k.Commands, k.Expiry = nil, product.Duration(time.Minute)
			}
			if c.qos == 2 && k.Version != mqtt.V5.String() { // sessions would stay for ever; without one, what is sent again is new
				k.Persist, shape, allowed = false, "steady", 2
			}
		}
		span := check.Span(f, 9*time.Second)
		got := copies{course: courseOf(c.qos, shape), each: allowed, first: t.Log.Len()}
		t.Step("%s: %d devices for %s", got.course, f.Devices, span)
		r, err := t.Count(ctx, testbed.Load{Fleet: f, Shape: shape, For: span})
		if err != nil {
			return err
		}
		got.twice, got.of, got.such, got.last = r.Messages.Duplicates, r.Messages.Arrived, check.Such(*r.Messages, "duplicate"), t.Log.Len()-1
		got.ends = r.Totals.Counts[series.Dropped]
		for _, o := range r.Outages {
			got.ends += uint64(o.Devices)
		}
		t.Measure("twice at "+got.course, float64(got.twice), "", fmt.Sprintf("<= %d", got.ends*got.each))
		t.Find(judgeCopies(got)...)
	}
	return nil
}

// courseOf says what a course is.
func courseOf(qos int, shape string) string {
	if shape == "steady" {
		return fmt.Sprintf("QoS %d while the connections last", qos)
	}
	return fmt.Sprintf("QoS %d when all connections are cut", qos)
}

func judgeCopies(c copies) []check.Finding {
	if c.twice <= c.ends*c.each {
		return nil
	}
	return []check.Finding{{
		Title:    "Delivers messages twice: " + c.course,
		Expected: fmt.Sprintf("at most %d, for %d connections that ended", c.ends*c.each, c.ends),
		Seen:     fmt.Sprintf("%d copies of %d messages%s", c.twice, c.of, c.such),
		Evidence: check.Range(c.first, c.last, c.course),
	}}
}
