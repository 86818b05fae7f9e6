package fault

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// CommandStale delivers a command after its time.
var CommandStale = &check.Check{
	ID:    "fault.command-stale",
	Title: "Does not carry out a command whose time is over",
	Why: "The oven is switched on from the train, and has no network. " +
		"Hours later it is back, nobody is at home any more, and the command arrives.",
	Pass: "a command that says when it ends, is queued while the device is away, and is delivered 5 s or more after that end, has no effect within 15 s; " +
		"one that is delivered in time has, before and afterwards",
	Fix:          "say in each command until when it holds, and compare it with a clock that is set before anything is carried out",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"fault.command.stale_delivery"},
	Sources:      []string{"limit of 15 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command", "expiring"}},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run:          commandStale,
}

func commandStale(ctx context.Context, t *check.T) error {
	if err := t.TellsEffects(); err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if !s.Kept() {
		return check.NotApplicable("its session ends with its connection, so that nothing is queued for it")
	}
	if err := inTime(ctx, t, s); err != nil {
		return err
	}
	lasts := time.Duration(t.Device.Part.MQTT.Expiring.Lasts)
	t.Step("take the network away, and queue a command that holds for %s", lasts)
	undo, err := t.Link.Refuse()
	if err != nil {
		return err
	}
	heal := t.Impair(undo)
	t.Link.Cut(true)
	c := expiring(t, lasts)
	t.Broker.Publish(broker.Message{Topic: c.Topic, Payload: c.Payload, QoS: 1})
	if err := t.Clock.Sleep(ctx, lasts+5*time.Second); err != nil {
		return err
	}
	mark := t.Log.Len()
	heal()
	next, err := t.Device.NextSession(ctx, mark, 2*t.Device.Cap()+t.Device.Patience())
	if err == nil {
		err = t.Device.Settle(ctx, next)
	}
	if err != nil {
		return check.Offline(err)
	}
	if err := t.Clock.Sleep(ctx, 15*time.Second); err != nil {
		return err
	}
	events := t.Log.Since(mark)
	if !delivered(events, c) {
		return check.NotRun("see protocol.session-present", "the broker had not kept the command for it")
	}
	t.Find(judgeOverdue(c.Count(events), mark, t.Log.Len()-1)...)
	return inTime(ctx, t, next)
}

// expiring is a command that says that it holds for so long.
func expiring(t *check.T, lasts time.Duration) testbed.Command {
	until := strconv.FormatInt(t.Clock.Now().Add(lasts).Unix(), 10)
	return t.Device.Order(strings.ReplaceAll(t.Device.Part.MQTT.Expiring.Payload, "{until}", until))
}

// inTime is the control: a command that is delivered in time has an effect.
func inTime(ctx context.Context, t *check.T, s *testbed.Session) error {
	t.Step("send a command whose time is not over")
	c := expiring(t, time.Hour)
	mark := t.Log.Len()
	if err := s.Send(c); err != nil {
		return check.NotRun("", "the connection ended before a command could be sent")
	}
	if _, err := t.Device.AwaitEffect(ctx, c, mark, 10*time.Second); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return check.NotRun("see that mqtt.expiring is a command as the device takes it", "a command whose time is not over: %v", err)
	}
	return nil
}

// delivered reports whether the broker sent the command.
func delivered(events []evidence.Event, c testbed.Command) bool {
	for _, e := range events {
		if p, ok := broker.Sent(e, mqtt.PUBLISH); ok && bytes.Equal(p.Payload, c.Payload) {
			return true
		}
	}
	return false
}

func judgeOverdue(effects, first, last int) []check.Finding {
	if effects == 0 {
		return nil
	}
	return []check.Finding{{
		Title:    "Carries out a command whose time is over",
		Expected: "no effect of a command that was delivered after the time until which it holds",
		Seen:     "it was carried out",
		Evidence: check.Range(first, last, "since it was back"),
	}}
}
