package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// SubackDowngraded grants QoS 0 for all that a device asks for.
var SubackDowngraded = &check.Check{
	ID:    "protocol.suback-downgraded",
	Title: "Works on with a lower QoS than it asked for",
	Why: "A broker may grant less than was asked for, and some clouds do after a change of plan. " +
		"A device that waits for the QoS that it asked for hangs at its first start.",
	Pass:         "with QoS 0 granted for QoS 1 or 2 it takes a command that is sent with QoS 0 within 10 s (without a declared command: it gives a sign of life)",
	Fix:          "take every granted QoS; note on the console that it is lower",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"mqtt.suback.downgraded"},
	Sources:      []string{"MQTT-3.8.4-6 (3.1.1)", "MQTT-3.8.4-7 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      5 * time.Second,
	Limit:        45 * time.Minute,
	Run:          subackDowngraded,
}

func subackDowngraded(ctx context.Context, t *check.T) error {
	t.Step("start the device, and grant QoS 0 for its subscriptions")
	asked := make(chan struct{}, 1)
	t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.SUBSCRIBE, Do: downgrade(asked)}))
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, err := check.Subscriptions(s); err != nil {
		return err
	}
	taken, cancel := t.Clock.Timeout(ctx, 10*time.Second) // a SUBSCRIBE is seen a moment before the broker takes it
	defer cancel()
	select {
	case <-asked:
	case <-taken.Done():
		return check.NotApplicable("it asks for QoS 0 only")
	}
	mark := t.Log.Len()
	var unserved []check.Finding
	if t.Device.Has("command") {
		t.Step("send a command with QoS 0")
		c := t.Device.Command()
		t.Broker.Publish(broker.Message{Topic: c.Topic, Payload: c.Payload, QoS: 1})
		_, err := t.Device.AwaitEffect(ctx, c, mark, 10*time.Second+t.Clock.Device(250*time.Millisecond))
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		unserved = judgeUnserved(mark, t.Log.Len()-1)
	}
	p, err := t.Device.Probe(ctx, s, mark, t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(judgeDowngraded(p, unserved)...)
	return nil
}

// downgrade lowers the QoS of every subscription to 0 before the broker sees it, and tells asked when that was less.
func downgrade(asked chan<- struct{}) broker.Action {
	return func(ex *broker.Exchange) {
		var filters []mqtt.Subscription
		for _, f := range ex.Packet.Filters {
			if f.QoS > 0 {
				select {
				case asked <- struct{}{}:
				default:
				}
			}
			f.QoS = 0
			filters = append(filters, f)
		}
		ex.Packet.Filters = filters
	}
}

func judgeUnserved(first, last int) []check.Finding {
	return []check.Finding{{
		Title:    "Takes no commands with a lower QoS than it asked for",
		Expected: "a command that is sent with QoS 0 carried out within 10 s",
		Seen:     "it showed no effect, though it is alive",
		Evidence: check.Range(first, last, "the command, and what followed"),
	}}
}

// judgeDowngraded prefers what the probe tells: a device that is deaf takes no command either.
func judgeDowngraded(p testbed.Probe, unserved []check.Finding) []check.Finding {
	if found := check.Alive(p, "a SUBACK with QoS 0 for QoS 1"); found != nil {
		return found
	}
	return unserved
}
