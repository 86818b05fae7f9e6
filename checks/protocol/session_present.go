package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// SessionPresent keeps the session of a device, with a message in it, while the device is away.
var SessionPresent = &check.Check{
	ID:    "protocol.session-present",
	Title: "Takes what was kept for it while it was away",
	Why: "A message with QoS 1 that came while the device was away is lost when the device does not acknowledge it, or comes at every connection for ever. " +
		"A device that subscribes again each time gets all retained messages again, and a fleet doubles the load of every reconnect.",
	Pass:         "after a reconnect with session present 1 a message with QoS 1 that was kept is acknowledged within 10 s (major), and no SUBSCRIBE is sent again (minor)",
	Fix:          "handle messages that come right after CONNACK, before anything else is set up; subscribe only when session present is 0",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.session.present-1"},
	Sources:      []string{"MQTT-4.3.2-4 (5.0)", "AWS IoT Device Advisor, test MQTT Persistent Session Happy Case (same criterion; subscribing again fails there)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        40 * time.Minute,
	Run:          sessionPresent,
}

func sessionPresent(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, err := check.Subscriptions(s); err != nil {
		return err
	}
	if err := lasting(s); err != nil {
		return err
	}
	m, ok := t.Device.Message(s)
	if !ok {
		return check.NotApplicable("it subscribes with QoS 0 only, for which nothing is kept")
	}
	t.Step("close the connection, and keep a message on %s for the device", m.Topic)
	t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Times: 1, Do: func(*broker.Exchange) { t.Broker.Publish(m) }}))
	next, err := reopen(ctx, t, s)
	if err != nil {
		return err
	}
	f, err := seeKept(ctx, t, next, m)
	if err != nil {
		return err
	}
	t.Find(judgePickedUp(f)...)
	return nil
}

// pickedUp is what a device did with a session that the broker kept for it.
type pickedUp struct {
	sent, acked int // numbers of the events; acked is 0 when none came
	again       int // number of the first SUBSCRIBE; 0: none
}

// seeKept looks on until the message was acknowledged, or 10 s are over.
func seeKept(ctx context.Context, t *check.T, s *testbed.Session, m broker.Message) (pickedUp, error) {
	var f pickedUp
	within := resubscribeWithin + t.Clock.Device(250*time.Millisecond)
	wait, cancel := t.Clock.Timeout(ctx, within)
	defer cancel()
	sent, err := t.Log.Await(wait, s.Mark, func(e evidence.Event) bool {
		p, ok := broker.Sent(e, mqtt.PUBLISH)
		return ok && e.Conn == s.Conn.Number() && p.Topic == m.Topic
	})
	if err != nil {
		return f, check.NotRun("run the check again", "the kept message was not sent: the device came with another session, or was gone again")
	}
	f.sent = sent.N
	p, _ := broker.Sent(sent, mqtt.PUBLISH)
	acked, ok, err := t.Device.AwaitPacket(ctx, sent.N, within, func(e evidence.Event, a *mqtt.Packet) bool {
		return e.Conn == s.Conn.Number() && a.Type == mqtt.PUBACK && a.ID == p.ID
	})
	if err != nil {
		return f, err
	}
	if ok {
		f.acked = acked.N
	}
	again, ok, err := t.Device.AwaitPacket(ctx, s.Mark, t.Clock.Device(500*time.Millisecond), func(e evidence.Event, a *mqtt.Packet) bool {
		return e.Conn == s.Conn.Number() && a.Type == mqtt.SUBSCRIBE
	})
	if ok {
		f.again = again.N
	}
	return f, err
}

func judgePickedUp(f pickedUp) []check.Finding {
	var found []check.Finding
	if f.acked == 0 {
		found = append(found, check.Finding{
			Title:    "Does not acknowledge a message that was kept for it",
			Expected: "a PUBACK within 10 s",
			Seen:     "the message was sent right after CONNACK, and no PUBACK came",
			Evidence: check.Range(f.sent, f.sent, "the kept message"),
		})
	}
	if f.again > 0 {
		found = append(found, check.Finding{
			Severity: check.Minor,
			Title:    "Subscribes again although the broker kept its session",
			Expected: "no SUBSCRIBE after session present 1",
			Seen:     "a SUBSCRIBE right after CONNACK with session present 1",
			Evidence: check.Range(f.again, f.again, "the SUBSCRIBE"),
		})
	}
	return found
}
