package telemetry

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// PubackMissing keeps the broker's acknowledgements back, then cuts the connection.
var PubackMissing = &check.Check{
	ID:    "telemetry.puback-missing",
	Title: "Sends again what was never acknowledged",
	Why: "A connection that breaks takes the last messages with it, and the alarm that mattered may be among them. " +
		"QoS 1 is there for that, if the device keeps its half of the bargain.",
	Pass: "every QoS 1 or 2 message that is not acknowledged for 30 s comes again within 30 s of the next connection, with DUP and the same packet id where the session was kept; " +
		"on the same connection never in MQTT 5, and in 3.1.1 only with DUP",
	Fix:          "keep every message until its PUBACK, over reconnects too, and mark the repetition with DUP",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-1", "CRA:I.2f"},
	Incidents:    []string{"INC-106"},
	Rows:         []string{"mqtt.puback.missing"},
	Sources: []string{
		"MQTT-4.4.0-1", "MQTT-3.3.1-1",
		"AWS IoT Device Advisor, test MQTT Publish Retry No Puback (demands a repetition on the same connection, which MQTT 5 forbids)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 45 * time.Second,
	Limit:   45 * time.Minute,
	Run:     pubackMissing,
}

func pubackMissing(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("withhold every acknowledgement for 30 s")
	mark := t.Log.Len()
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: acknowledgeable, Do: broker.Drop()}))
	if _, err := t.Publishes(ctx, s, mark); err != nil {
		return err
	}
	if _, err := t.Device.AwaitClose(ctx, s, mark, 30*time.Second); ctx.Err() != nil {
		return err // that the device closed the connection itself, or did not, is the same here
	}
	t.Step("cut the connection, and see what comes again")
	cut := t.Log.Len()
	f := unacknowledged{version: s.Version, before: testbed.Publications(t.Log.Since(mark)[:cut-mark])}
	t.Link.Cut(false)
	heal()
	next, err := t.Device.NextSession(ctx, cut, t.Device.Patience())
	if err != nil {
		return check.Offline(err)
	}
	f.resumed = next.Resumed(t.Bed)
	_, _, err = t.Device.AwaitPublication(ctx, next, cut, 30*time.Second, func(p testbed.Publication) bool {
		f.after = append(f.after, p)
		return len(lost(f.before, f.after)) == 0
	})
	if err != nil {
		return err
	}
	f.last = t.Log.Len() - 1
	t.Record("%d messages without acknowledgement, %d of them did not come again; session kept: %t", len(distinct(f.before)), len(lost(f.before, f.after)), f.resumed)
	t.Find(judgeUnacknowledged(f)...)
	return nil
}
