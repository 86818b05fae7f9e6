package load

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/limit"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/client"
)

// Soak keeps a steady load up and looks at the memory of the broker, and at how fast it acknowledges.
var Soak = &check.Check{
	ID:    "load.soak",
	Title: "Keeps its memory and its pace under a steady load",
	Why: "A broker that keeps a little of every message, session or subscription works for days and then falls over, at night, with the " +
		"whole fleet. Under a steady load what it holds has no reason to grow.",
	Pass: "while the fleet is connected and sends steadily, the memory that the broker tells of on $SYS/broker/heap/current does not grow from " +
		"each of five readings to the next, by more than 5 % in all, and as fast at the end as at the beginning; where the course " +
		"has 30 s or more, half of the messages are not acknowledged ever later, three times as late at its end as at its beginning and 100 ms at least",
	Fix:          "find what is kept per message, session or subscription, and where it should have been let go",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"mosquitto(8): $SYS/broker/heap/current; the other figures are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        10 * time.Hour,
	Run:          soak,
}

const readings = 5

func soak(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	l := testbed.Load{Fleet: f, For: span(f, 30*time.Second, 0.2), Blind: true}
	if t.Clock.Device(time.Second) == time.Second { // a real one: long enough for what it allocates at first to end
		l.For = max(l.For, 3*time.Minute, time.Duration(f.For))
	}
	watcher, err := t.LookOn(ctx, t.Cloud.Operator(f), nil)
	if err != nil {
		return err
	}
	untold := tells(ctx, watcher)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i := range f.Classes {
		f.Classes[i].Commands = nil // their sender is the one who looks on
		for j := range f.Classes[i].Telemetry {
			every := &f.Classes[i].Telemetry[j].Every
			*every = min(*every, product.Duration(5*time.Second))
		}
	}
	t.Step("%d devices send steadily for %s", f.Devices, l.For)
	first := t.Log.Len()
	var heap []float64
	r, err := during(ctx, t, "A steady load", l, showsAcks, func(ctx context.Context) (err error) {
		if untold != nil {
			return nil
		}
		heap, err = read(ctx, t, watcher, l.For*3/5/readings)
		return err
	})
	if err != nil {
		return err
	}
	t.Find(judgePace(r)...)
	if untold != nil {
		return untold
	}
	t.Measure("memory at first", heap[0], "bytes", "")
	t.Measure("memory at last", heap[readings-1], "bytes", "")
	for _, found := range judgeHeap(heap, r.Totals.Counts[series.Acked]) {
		found.Evidence = check.Range(first, t.Log.Len()-1, "what the broker tells of its memory")
		t.Find(found)
	}
	return nil
}

// judgePace finds acknowledgements that come later and later, by the medians of the seconds in which all devices were connected.
func judgePace(r *series.Record) []check.Finding {
	var medians []float64
	for _, p := range r.Points {
		i := slices.IndexFunc(p.Latencies, func(l series.Latency) bool { return l.Timing == series.Ack })
		if p.Second < r.Seconds && p.Connected > 0 && p.Connected == p.Devices && i >= 0 {
			medians = append(medians, p.Latencies[i].P50)
		}
	}
	if r.Own.Invalid != "" || len(medians) < 30 {
		return nil
	}
	third := func(k int) float64 {
		part := slices.Sorted(slices.Values(medians[k*len(medians)/3 : (k+1)*len(medians)/3]))
		return part[len(part)/2]
	}
	if first, middle, last := third(0), third(1), third(2); last >= 0.1 && last >= 3*first && first < middle && middle < last {
		return []check.Finding{{
			Title: "Acknowledges later and later under a steady load",
			Seen:  fmt.Sprintf("half of the messages were acknowledged within %s in the first third of the course, and within %s in the last", limit.Seconds(first), limit.Seconds(last)),
		}}
	}
	return nil
}

// read reads the memory several times, each time what the broker told last.
func read(ctx context.Context, t *check.T, c *client.Conn, pause time.Duration) (heap []float64, err error) {
	for range readings {
		if err := t.Clock.Sleep(ctx, pause); err != nil {
			return nil, err
		}
		n, err := told(c)
		if err != nil {
			return nil, err
		}
		heap = append(heap, n)
	}
	return heap, nil
}

// judgeHeap finds memory that grows from each reading to the next and does not level off.
func judgeHeap(heap []float64, messages uint64) []check.Finding {
	for i := 1; i < len(heap); i++ {
		if heap[i] <= heap[i-1] {
			return nil
		}
	}
	last, middle := len(heap)-1, len(heap)/2
	grown := heap[last] - heap[0]
	if grown < heap[0]/20 || heap[last]-heap[middle] < (heap[middle]-heap[0])/2 {
		return nil
	}
	return []check.Finding{{
		Title: "Needs more and more memory under a steady load",
		Seen: fmt.Sprintf("its memory grew from %.0f to %.0f bytes, by %.0f bytes for each of %d messages of the course, and did not level off",
			heap[0], heap[last], grown/float64(max(1, messages)), messages),
	}}
}
