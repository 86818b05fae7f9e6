package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// DuplicateCommand delivers one command twice, as a broker does whose acknowledgement was lost.
var DuplicateCommand = &check.Check{
	ID:    "fault.duplicate-command",
	Title: "Carries a command out once although it is delivered twice",
	Why: "QoS 1 delivers at least once: when the connection breaks before the acknowledgement the command comes again. " +
		"A door that opens twice, a portion that is served twice, a toggle that undoes itself.",
	Pass:         "a command that is carried out, loses its PUBACK with the connection, and comes again with DUP and the same packet id, has exactly one effect",
	Fix:          "give commands an id of their own and remember the last ones over reconnects; or make them say the state that is wanted, not the change",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Rows:         []string{"mqtt.qos1.dup-idempotent"},
	Sources:      []string{"MQTT section 4.3.2 (at least once delivery)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        45 * time.Minute,
	Run:          duplicateCommand,
}

func duplicateCommand(ctx context.Context, t *check.T) error {
	if err := t.CountsEffects(); err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	c := t.Device.Command()
	if qos, ok := s.Grants(c.Topic); !ok || qos == 0 {
		return check.NotApplicable("the device takes its commands with QoS 0, which are never delivered twice")
	}
	p := c.Packet(s.Version)
	p.QoS, p.ID = 1, s.Conn.NextID()
	t.Step("send a command, and lose its acknowledgement with the connection")
	first := t.Log.Len()
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBACK, Do: broker.Drop()}))
	if err := s.Conn.Send(p); err != nil {
		return check.NotRun("", "the connection ended before the command could be sent")
	}
	if _, err := t.Device.AwaitEffect(ctx, c, first, 10*time.Second); err != nil {
		return check.NotRun("see that the declared effect is what the device shows", "%v", err)
	}
	if err := t.Clock.Sleep(ctx, 2*time.Second); err != nil { // for what belongs to the effect to be acknowledged
		return err
	}
	if n := c.Count(t.Log.Since(first)); n != 1 {
		return check.NotRun("declare effect.repeats, or a pattern that shows once", "a command that was delivered once had %d effects", n)
	}
	cut := t.Log.Len()
	t.Link.Cut(false)
	heal()
	next, err := t.Device.NextSession(ctx, cut, t.Device.Patience())
	if err == nil {
		err = t.Device.Settle(ctx, next)
	}
	if err != nil {
		return check.Offline(err)
	}
	t.Step("deliver the command again")
	p.Dup = true
	mark := t.Log.Len()
	if err := next.Conn.Send(p); err != nil {
		return check.NotRun("", "the connection ended before the command could be delivered again")
	}
	if _, err := t.Device.AwaitAck(ctx, next, mark, 10*time.Second, mqtt.PUBACK, p.ID); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return check.NotRun("see protocol.qos1-acknowledged", "whether the second delivery reached the device is not known: %v", err)
	}
	if err := t.Clock.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	t.Find(judgeDuplicate(c.Token, c.Count(t.Log.Since(first)), first, t.Log.Len()-1)...)
	return nil
}

func judgeDuplicate(token string, effects, first, last int) []check.Finding {
	if effects <= 1 {
		return nil
	}
	return []check.Finding{{
		Title:    "Carries a command out again when it is delivered again",
		Expected: "one effect of a command that is delivered twice with the same packet id, the second time with DUP",
		Seen:     fmt.Sprintf("%d effects of command %s", effects, token),
		Evidence: check.Range(first, last, "from the first delivery on"),
	}}
}
