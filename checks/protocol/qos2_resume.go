package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// QoS2Resume cuts the connection in the middle of a QoS 2 exchange.
var QoS2Resume = &check.Check{
	ID:    "protocol.qos2-resume",
	Title: "Takes a QoS 2 exchange up where the connection broke",
	Why: "The exchange has four packets, and connections break between them. " +
		"A device that forgets its half delivers twice, or leaves the broker waiting for ever with one slot less.",
	Pass: "in a session that was kept over a cut between PUBREC and PUBREL: PUBREL of the broker is answered with PUBCOMP (in MQTT 5 without the code 0x92) within 10 s of the reconnect; " +
		"a device that publishes with QoS 2 itself, within 10 s, sends PUBREL, and not the message again, within 20 s",
	Fix:          "keep the state of QoS 2 exchanges with the session, in both directions, until PUBCOMP",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Rows:         []string{"mqtt.qos2.resume"},
	Sources:      []string{"MQTT-4.4.0-1", "MQTT-4.3.3-6 (5.0)", "MQTT section 4.1 (session state)", "eclipse/paho.mqtt.golang issue 788", "at-wat/mqtt-go issue 152"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        45 * time.Minute,
	Run:          qos2Resume,
}

func qos2Resume(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if !s.Kept() {
		return check.NotApplicable("the device asks for a session that ends with its connection, so there is nothing to take up")
	}
	_, takes := s.Takes(2)
	if takes {
		if s, err = resumeInbound(ctx, t, s); err != nil {
			return err
		}
	}
	wait := 10 * time.Second
	if !takes {
		wait = t.Device.Reports() // it is all that there can be to judge
	}
	_, sends, err := t.Device.AwaitPublication(ctx, s, s.Mark, wait, func(p testbed.Publication) bool { return p.QoS == 2 })
	switch {
	case err != nil:
		return err
	case sends:
		return resumeOutbound(ctx, t, s)
	case !takes:
		return check.NotApplicable("the device neither subscribes nor publishes with QoS 2")
	}
	return nil
}

// reconnected cuts the connection and waits for the next one, on which the session has to be kept.
func reconnected(ctx context.Context, t *check.T) (*testbed.Session, error) {
	mark := t.Log.Len()
	t.Link.Cut(false)
	s, err := t.Device.NextSession(ctx, mark, t.Device.Patience())
	if err != nil {
		return nil, check.Offline(err)
	}
	if !s.Resumed(t.Bed) {
		return nil, check.NotApplicable("the device did not come back to its session: it began a new one after the cut")
	}
	return s, nil
}

// resumeInbound leaves a message to the device between PUBREC and PUBREL, and returns the session after the cut.
func resumeInbound(ctx context.Context, t *check.T, s *testbed.Session) (*testbed.Session, error) {
	p, err := messageFor(t, s, 2)
	if err != nil {
		return nil, err
	}
	t.Step("send a QoS 2 message, and cut the connection before PUBREL")
	hold := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBREL, Do: broker.Drop()}))
	first := t.Log.Len()
	if err := s.Conn.Send(p); err != nil {
		return nil, check.NotRun("", "the connection ended before the message could be sent")
	}
	if _, err := t.Device.AwaitAck(ctx, s, first, handshakeWithin, mqtt.PUBREC, p.ID); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		t.Find(judgeInbound(err, 0, first, t.Log.Len()-1)...)
		return s, nil
	}
	next, err := reconnected(ctx, t)
	if err != nil {
		return nil, err
	}
	hold()
	mark := t.Log.Len()
	if err := next.Conn.Send(&mqtt.Packet{Type: mqtt.PUBREL, ID: p.ID}); err != nil {
		return nil, check.NotRun("", "the connection ended before PUBREL could be sent")
	}
	e, err := t.Device.AwaitAck(ctx, next, mark, handshakeWithin, mqtt.PUBCOMP, p.ID)
	if ctx.Err() != nil {
		return nil, err
	}
	code := byte(0)
	if comp, ok := broker.Got(e, mqtt.PUBCOMP); ok {
		code = comp.Code
	}
	t.Find(judgeInbound(err, code, first, t.Log.Len()-1)...)
	return next, nil
}

func judgeInbound(missing error, code byte, first, last int) []check.Finding {
	f := check.Finding{
		Expected: "PUBREC, and after the reconnect PUBCOMP with success for PUBREL",
		Evidence: check.Range(first, last, "from the message on"),
	}
	switch {
	case missing != nil:
		f.Title, f.Seen = "Leaves a QoS 2 exchange open", missing.Error()
	case code >= 0x80:
		f.Title = "Forgets a QoS 2 exchange when the connection breaks"
		f.Seen = "PUBCOMP " + mqtt.CodeName(mqtt.PUBCOMP, mqtt.V5, code) + " in a session that was kept"
	default:
		return nil
	}
	return []check.Finding{f}
}

// resumeOutbound lets the device send PUBREL, loses it, and cuts the connection.
func resumeOutbound(ctx context.Context, t *check.T, s *testbed.Session) error {
	t.Step("lose a PUBREL of the device, and cut the connection")
	mark := t.Log.Len()
	hold := t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBREL, Do: broker.Drop()}))
	m, ok, err := t.Device.AwaitPublication(ctx, s, mark, t.Device.Reports(), func(p testbed.Publication) bool { return p.QoS == 2 })
	if err != nil {
		return err
	}
	if !ok {
		t.Record("it published nothing more with QoS 2 within %s", t.Device.Reports())
		return nil
	}
	if _, err := t.Device.AwaitAck(ctx, s, mark, handshakeWithin, mqtt.PUBREL, m.ID); err != nil {
		return check.NotRun("", "the device did not get to PUBREL: %v", err)
	}
	next, err := reconnected(ctx, t)
	if err != nil {
		return err
	}
	hold()
	wait, cancel := t.Clock.Timeout(ctx, 20*time.Second)
	defer cancel()
	var got *mqtt.Packet
	_, _ = t.Log.Await(wait, next.Mark, func(e evidence.Event) bool { // that nothing came shows as got being nil
		if p, ok := broker.Got(e, mqtt.PUBREL); ok && p.ID == m.ID {
			got = p
		}
		if p, ok := broker.Got(e, mqtt.PUBLISH); ok && p.ID == m.ID && p.QoS == 2 && p.Topic == m.Topic {
			got = p
		}
		return got != nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.Find(judgeOutbound(got, m.ID, m.N, t.Log.Len()-1)...)
	return nil
}

// judgeOutbound looks at the first packet after the reconnect that belongs to the exchange.
func judgeOutbound(got *mqtt.Packet, id uint16, first, last int) []check.Finding {
	f := check.Finding{
		Expected: fmt.Sprintf("PUBREL for packet id %d within 20 s of the reconnect", id),
		Evidence: check.Range(first, last, "from the message on"),
	}
	switch {
	case got == nil:
		f.Title, f.Seen = "Does not take its QoS 2 exchange up again", "nothing for that packet id after the reconnect"
	case got.Type == mqtt.PUBLISH:
		f.Title, f.Seen = "Sends a QoS 2 message again after PUBREC", "PUBLISH in place of PUBREL after the reconnect [MQTT-4.3.3-6]"
	default:
		return nil
	}
	return []check.Finding{f}
}
