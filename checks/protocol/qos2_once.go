package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// QoS2Once repeats a QoS 2 message before it is released.
var QoS2Once = &check.Check{
	ID:    "protocol.qos2-once",
	Title: "Carries a QoS 2 message out once although it comes twice",
	Why: "QoS 2 is chosen for what must not happen twice: dose, open, pay. " +
		"Client libraries have delivered repeated messages twice in the very case that QoS 2 exists for.",
	Pass: "a command with QoS 2 that is repeated with DUP between PUBREC and PUBREL is answered with PUBREC again, ends with PUBCOMP within 10 s, and has exactly one effect; " +
		"the same command without repetition had one before",
	Fix:          "keep the packet ids of received QoS 2 messages until PUBREL, and deliver none that is known",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Rows:         []string{"mqtt.qos2.dup-once"},
	Sources:      []string{"MQTT-4.3.3-2 (3.1.1), MQTT-4.3.3-10 (5.0)", "eclipse/paho.mqtt.golang issues 768 and 791"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        5 * time.Minute,
	Run:          qos2Once,
}

const handshakeWithin = 10 * time.Second // for each packet of a QoS 2 exchange

// exactlyOnce is what was seen of a QoS 2 command.
type exactlyOnce struct {
	pubrecs int // answers to PUBLISH
	missing error
	effects int
	first   int
	last    int
}

func qos2Once(ctx context.Context, t *check.T) error {
	if err := t.CountsEffects(); err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, ok := s.Takes(2); !ok {
		return check.NotApplicable("the device subscribes to nothing with QoS 2")
	}
	t.Step("send a command with QoS 2, as it should be")
	control, err := releaseAfter(ctx, t, s, 1)
	if err != nil {
		return err
	}
	if control.missing != nil || control.effects != 1 {
		return check.NotRun("see whether the device takes commands with QoS 2; declare effect.repeats if one command shows more than once",
			"a command with QoS 2 that was sent once had %d effects", control.effects)
	}
	t.Step("send a command with QoS 2, and repeat it before PUBREL")
	f, err := releaseAfter(ctx, t, s, 2)
	if err != nil {
		return err
	}
	t.Find(judgeOnce(f)...)
	return nil
}

// releaseAfter sends a command with QoS 2 so many times under one packet id, then PUBREL, and counts its effects.
func releaseAfter(ctx context.Context, t *check.T, s *testbed.Session, copies int) (exactlyOnce, error) {
	hold := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.PUBREL, Do: broker.Drop()}))
	defer hold()
	c := t.Device.Command()
	p := c.Packet(s.Version)
	p.QoS, p.ID = 2, s.Conn.NextID()
	f := exactlyOnce{first: t.Log.Len()}
	for i := range copies {
		mark := t.Log.Len()
		p.Dup = i > 0
		if err := s.Conn.Send(p); err != nil {
			return f, check.NotRun("", "the connection ended before PUBREL")
		}
		if _, f.missing = t.Device.AwaitAck(ctx, s, mark, handshakeWithin, mqtt.PUBREC, p.ID); f.missing != nil {
			break
		}
		f.pubrecs++
	}
	if f.missing == nil {
		mark := t.Log.Len()
		if err := s.Conn.Send(&mqtt.Packet{Type: mqtt.PUBREL, ID: p.ID}); err != nil {
			return f, check.NotRun("", "the connection ended before PUBREL")
		}
		_, f.missing = t.Device.AwaitAck(ctx, s, mark, handshakeWithin, mqtt.PUBCOMP, p.ID)
	}
	if ctx.Err() != nil {
		return f, ctx.Err()
	}
	return f, countEffects(ctx, t, c, &f)
}

// countEffects waits for the first effect of c, and 3 s more for another.
func countEffects(ctx context.Context, t *check.T, c testbed.Command, f *exactlyOnce) error {
	if _, err := t.Device.AwaitEffect(ctx, c, f.first, handshakeWithin); ctx.Err() != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	f.effects, f.last = c.Count(t.Log.Since(f.first)), t.Log.Len()-1
	return nil
}

func judgeOnce(f exactlyOnce) []check.Finding {
	finding := check.Finding{
		Expected: "PUBREC for each copy, PUBCOMP after PUBREL, and one effect",
		Evidence: check.Range(f.first, f.last, "from the first copy on"),
	}
	switch {
	case f.effects > 1:
		finding.Title = "Carries a QoS 2 command out more than once"
		finding.Seen = fmt.Sprintf("%d effects of one command that came twice before PUBREL", f.effects)
	case f.missing != nil:
		finding.Severity = check.Major
		finding.Title = "Does not bring a repeated QoS 2 message to its end"
		finding.Seen = f.missing.Error()
	case f.effects == 0:
		finding.Title = "Loses a QoS 2 command that is repeated"
		finding.Seen = "no effect, although the exchange came to its end"
	default:
		return nil
	}
	return []check.Finding{finding}
}
