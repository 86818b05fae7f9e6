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

// BacklogDrains lets devices collect messages while they are away, and return with all of them at once.
var BacklogDrains = &check.Check{
	ID:    "load.backlog-drains",
	Title: "Takes in the backlog of a fleet that was away",
	Why: "After an outage every device has hours of readings to send, and sends them as fast as it can, beside what is new. " +
		"Where the backend takes them more slowly than new ones come, it never catches up.",
	Pass: "up to 30 devices with five messages of QoS 1 a second are cut off half-way, and keep what they measure: all of it is acknowledged and has " +
		"arrived at the latest 10 s after the last was made",
	Fix:          "give what is delayed a queue of its own, and let devices drain with a pause between two messages",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"the 10 s are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        5 * time.Minute,
	Run:          backlogDrains,
}

// backlog is what became of the messages of a fleet that was away.
type backlog struct {
	sent, waiting, unanswered, lost uint64
	first, last                     int
}

func backlogDrains(ctx context.Context, t *check.T) error {
	f, err := t.Few(ctx, 30, 1, 200*time.Millisecond)
	if err != nil {
		return err
	}
	span := check.Span(f, 12*time.Second)
	for i := range f.Classes {
		c := &f.Classes[i]
		c.Commands, c.Buffer = nil, 1000
		c.Backoff = &product.Backoff{First: product.Duration(span / 6), Factor: 1, Cap: product.Duration(span / 6), Jitter: "equal"}
	}
	b := backlog{first: t.Log.Len()}
	t.Step("%d devices send five messages a second each for %s; half-way they are cut off for up to %s", f.Devices, span, span/6)
	r, err := t.Count(ctx, testbed.Load{Fleet: f, Shape: "reconnect-storm", For: span, Within: 10 * time.Second})
	if err != nil {
		return err
	}
	if o := r.Outages[0]; o.Away > 0 {
		return check.NotRun("see what the checks of reconnecting find", "%d of %d devices did not come back", o.Away, o.Devices)
	}
	n := r.Totals.Counts
	b.sent, b.waiting, b.unanswered, b.lost, b.last = n[series.Sent], n[series.Withheld], n[series.Unanswered], r.Messages.Lost, t.Log.Len()-1
	t.Find(judgeBacklog(b)...)
	return nil
}

func judgeBacklog(b backlog) []check.Finding {
	if b.waiting+b.unanswered+b.lost == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Does not take in the backlog of devices that were away",
		Seen: fmt.Sprintf("at the end %d messages still waited for room at the devices, and of %d that were sent %d were not acknowledged, and %d had not arrived",
			b.waiting, b.sent, b.unanswered, b.lost),
		Evidence: check.Range(b.first, b.last, "the fleet is cut off and comes back"),
	}}
}
