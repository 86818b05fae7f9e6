package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/broker"
)

// onlineWithin is how long the retained status may be wrong after a new connection.
const onlineWithin = 10 * time.Second

// WillRace gives a device its power back before the broker has noticed that it was gone.
var WillRace = &check.Check{
	ID:    "fault.will-race",
	Title: "Is shown as online when it comes back before its old session has died",
	Why: "After a short power cut the broker publishes the will of the old connection just when the new one is made. " +
		"A device that does not publish its status on every connection is then shown as offline while it works.",
	Pass:         "when the device connects after a power cut while its old connection is still open at the broker, the retained message on the will's topic is no longer the will 10 s after CONNACK",
	Fix:          "publish the birth message after every CONNACK, retained, on the topic of the will",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-2"},
	Rows:         []string{"mqtt.will.race"},
	Sources:      []string{"MQTT-3.1.4-2 (3.1.1)", "MQTT-3.1.4-3 (5.0)", "MQTT-3.1.2-8"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.PowerCut}},
	Impact:       check.Restarts,
	Typical:      20 * time.Second,
	Limit:        15 * time.Minute,
	Run:          willRace,
}

func willRace(ctx context.Context, t *check.T) error {
	t.Broker.Set(func(o *broker.Options) { o.Patient = true }) // the old session is to last until the new one takes over
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	will := s.Connect.Connect.Will
	if will == nil || !will.Retain {
		return check.NotApplicable("it leaves no retained will, so nothing wrong stays behind; see protocol.will-present")
	}
	t.Step("take the power away, and give it back at once")
	mark := t.Log.Len()
	if err := t.Device.Cut(ctx); err != nil {
		return err
	}
	next, err := t.Device.Online(ctx)
	if err != nil {
		return check.Offline(err)
	}
	willed, err := willBefore(t.Log.Since(mark), next)
	if err != nil {
		return err
	}
	t.Record("its will was published at event %d, its new connection accepted at event %d", willed, next.Mark)
	status, err := awaitOnline(ctx, t, next, will.Topic, string(will.Payload))
	if err != nil {
		return err
	}
	t.Find(judgeRace(will.Topic, string(will.Payload), status, mark, t.Log.Len()-1)...)
	return nil
}

// willBefore returns the number of the event of the will of the old connection.
func willBefore(events []evidence.Event, next *testbed.Session) (int, error) {
	for _, e := range events {
		if _, ok := broker.Willed(e); ok {
			return e.N, nil
		}
	}
	return 0, check.NotRun("see that the device keeps its client id", "connection %d did not take over the old session, so no will was published", next.Conn.Number())
}

// awaitOnline waits up to 10 s of the session until something else than the will is retained on topic, and returns what is.
func awaitOnline(ctx context.Context, t *check.T, s *testbed.Session, topic, will string) (string, error) {
	for {
		m, _ := t.Broker.Retained(topic)
		if string(m.Payload) != will || t.Clock.Since(s.Since) > onlineWithin+t.Clock.Device(250*time.Millisecond) {
			return string(m.Payload), nil
		}
		if err := t.Clock.Sleep(ctx, 200*time.Millisecond); err != nil {
			return "", err
		}
	}
}

func judgeRace(topic, will, status string, first, last int) []check.Finding {
	if status != will {
		return nil
	}
	return []check.Finding{{
		Title:    "Is connected, and shown by its will as gone",
		Expected: fmt.Sprintf("another retained message on %s than the will %.0f s after CONNACK", topic, onlineWithin.Seconds()),
		Seen:     fmt.Sprintf("%.60q, the will, was still retained", status),
		Evidence: check.Range(first, last, "from the power cut on"),
	}}
}
