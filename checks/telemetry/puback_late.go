package telemetry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// PubackLate has the broker acknowledge every message 20 s late.
var PubackLate = &check.Check{
	ID:    "telemetry.puback-late",
	Title: "Sends a message once although its acknowledgement is slow",
	Why: "A cloud under load acknowledges late. " +
		"Devices that lose patience send everything twice: the load doubles just then, and counters and bills are wrong afterwards.",
	Pass:         "while PUBACK and PUBREC come 20 s late, no message is sent a second time and the connection stays; in 3.1.1 a repetition with DUP is a minor finding",
	Fix:          "do not repeat by a timer: TCP does that already; repeat after a reconnect only",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f", "CRA:I.2i"},
	Rows:         []string{"mqtt.puback.late"},
	Sources:      []string{"MQTT-4.4.0-1 (5.0)", "AWS IoT Device Advisor, long duration tests (window of 15 s)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        15 * time.Minute,
	Run:          pubackLate,
}

const lateBy = 20 * time.Second

// late is what was seen of a device whose messages were acknowledged late.
type late struct {
	version mqtt.Version
	sent    []testbed.Publication
	ended   string // how the connection ended; empty: it did not
	last    int
}

func pubackLate(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("acknowledge 20 s late")
	mark := t.Log.Len()
	acks := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBACK, Do: broker.Delay(lateBy)}))
	recs := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBREC, Do: broker.Delay(lateBy)}))
	if _, err := t.Publishes(ctx, s, mark); err != nil {
		return err
	}
	f := late{version: s.Version}
	closed, err := t.Device.AwaitClose(ctx, s, mark, lateBy+5*time.Second)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		f.ended = closed.Text
	}
	events := t.Log.Since(mark)
	f.sent, f.last = onConn(events, s.Conn.Number()), mark+len(events)-1
	f.sent = untilAcknowledged(f.sent, events)
	t.Find(judgeLate(f)...)
	acks()
	recs()
	p, err := t.Device.Probe(ctx, s, mark, t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "acknowledgements that came 20 s late")...)
	return nil
}

// untilAcknowledged leaves out what was sent with a packet id that had been acknowledged: that is a new message.
func untilAcknowledged(sent []testbed.Publication, events []evidence.Event) []testbed.Publication {
	return slices.DeleteFunc(slices.Clone(sent), func(p testbed.Publication) bool {
		return !p.Dup && slices.ContainsFunc(events, func(e evidence.Event) bool {
			ack, ok := broker.Sent(e, mqtt.PUBACK)
			return ok && e.N < p.N && ack.ID == p.ID
		})
	})
}

func judgeLate(f late) []check.Finding {
	first := distinct(f.sent)
	if len(first) == 0 {
		return nil
	}
	ref := check.Range(first[0].N, f.last, "while acknowledgements were late")
	again := len(f.sent) - len(first)
	bare := again
	for _, p := range f.sent {
		if p.Dup {
			bare--
		}
	}
	var found []check.Finding
	if again > 0 {
		severity := check.Severity("")
		if f.version != mqtt.V5 && bare <= 0 {
			severity = check.Minor // what 3.1.1 allows, and the cloud can tell it by DUP
		}
		found = append(found, check.Finding{
			Severity: severity,
			Title:    "Sends a message again because its acknowledgement is slow",
			Expected: "each message once on one connection",
			Seen:     fmt.Sprintf("%d repetitions of %d messages within %.0f s, %d of them without DUP", again, len(first), lateBy.Seconds(), max(bare, 0)),
			Evidence: ref,
		})
	}
	if f.ended != "" {
		found = append(found, check.Finding{
			Title:    "Gives its connection up because an acknowledgement is slow",
			Expected: fmt.Sprintf("the connection stays while acknowledgements are %.0f s late", lateBy.Seconds()),
			Seen:     "it ended: " + f.ended,
			Evidence: ref,
		})
	}
	return found
}
