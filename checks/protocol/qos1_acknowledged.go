package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// QoS1Acknowledged sends the device a message that it has to acknowledge.
var QoS1Acknowledged = &check.Check{
	ID:    "protocol.qos1-acknowledged",
	Title: "Acknowledges a QoS 1 message",
	Why: "A broker that gets no acknowledgement sends the message again and again, after every reconnect, and keeps room for it. " +
		"Some stop sending at all when enough is outstanding: the device then no longer obeys.",
	Pass:         "PUBACK with the packet id of the message within 5 s",
	Fix:          "acknowledge every QoS 1 message, also one that is not understood, when it is safe with the application",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"mqtt.qos1.puback-sent"},
	Sources:      []string{"MQTT-4.3.2-2 (3.1.1), MQTT-4.3.2-4 (5.0)", "AWS IoT Device Advisor, test MQTT Client Puback QoS1 (no limit of time)", "the limit of 5 s is ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run:          qos1Acknowledged,
}

const pubackWithin = 5 * time.Second

func qos1Acknowledged(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	m, err := messageFor(t, s, 1)
	if err != nil {
		return err
	}
	t.Step("send a QoS 1 message on %s", m.Topic)
	mark, sent := t.Log.Len(), t.Clock.Now()
	if err := s.Conn.Send(m); err != nil {
		return check.NotRun("", "the connection ended before the message could be sent")
	}
	e, err := t.Device.AwaitAck(ctx, s, mark, 3*pubackWithin, mqtt.PUBACK, m.ID)
	if ctx.Err() != nil {
		return err
	}
	took := e.At.Sub(sent)
	if err == nil {
		t.MeasureTime("PUBACK of the device", took, fmt.Sprintf("<= %.0f s", pubackWithin.Seconds()))
	}
	t.Find(judgePuback(err, took, t.Clock.Device(slack), mark, t.Log.Len()-1)...)
	return nil
}

// messageFor is a PUBLISH with that QoS for the device: a new command when one is declared and the subscription grants it, else a word
// of ours on a topic that does. Without such a subscription the check is not applicable.
func messageFor(t *check.T, s *testbed.Session, qos byte) (*mqtt.Packet, error) {
	if t.Device.Has("command") {
		c := t.Device.Command()
		if granted, ok := s.Grants(c.Topic); ok && granted >= qos {
			p := c.Packet(s.Version)
			p.QoS, p.ID = qos, s.Conn.NextID()
			return p, nil
		}
	}
	topic, ok := s.Takes(qos)
	if !ok {
		return nil, check.NotApplicable("the device subscribes to nothing with QoS %d or more", qos)
	}
	return &mqtt.Packet{Type: mqtt.PUBLISH, Version: s.Version, Topic: topic, Payload: []byte("shakedown"), QoS: qos, ID: s.Conn.NextID()}, nil
}

func judgePuback(missing error, took, slack time.Duration, first, last int) []check.Finding {
	f := check.Finding{
		Expected: fmt.Sprintf("PUBACK within %.0f s", pubackWithin.Seconds()),
		Evidence: check.Range(first, last, "from the message on"),
	}
	switch {
	case missing != nil:
		f.Title, f.Seen = "Does not acknowledge a QoS 1 message", missing.Error()
	case took > pubackWithin+slack:
		f.Severity = check.Major
		f.Title, f.Seen = "Acknowledges a QoS 1 message late", fmt.Sprintf("PUBACK after %.1f s", took.Seconds())
	default:
		return nil
	}
	return []check.Finding{f}
}
