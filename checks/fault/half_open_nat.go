package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// arriveWithin is how long a kept command may take from the new connection to its effect.
const arriveWithin = 10 * time.Second

// HalfOpenNat makes the connection of a device dead, as a NAT does that forgot it, and sends a command.
var HalfOpenNat = &check.Check{
	ID:    "fault.half-open-nat",
	Title: "Loses no command when a NAT has forgotten its connection",
	Why: "A NAT forgets connections that are idle for some minutes. A command that is sent then goes nowhere. " +
		"It is lost for good when the device does not notice, or starts a clean session when it does.",
	Pass:         "a command with QoS 1 that is sent when the existing connection is dead, without FIN or RST, is carried out within 10 s of the next connection (blocker; major when the device asked for a clean session, since a cloud can repeat what it wants); the device closes the dead connection within 2 times its keep-alive and 5 s (blocker). New connections pass; bytes on the dead one are still acknowledged by TCP here",
	Fix:          "keep the keep-alive below the idle time of NATs, connect with clean session 0 and subscribe with QoS 1",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.halfopen.nat-expiry"},
	Sources:      []string{"MQTT-4.4.0-1 (3.1.1)", "Haetoenen et al., An experimental study of home gateway characteristics (2010)", "github.com/nrfconnect/sdk-nrf issue 3400", "github.com/256dpi/arduino-mqtt issue 177"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Disturbs,
	Typical:      2 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          halfOpenNat,
}

func halfOpenNat(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	k, err := check.KeepAlive(s)
	if err != nil {
		return err
	}
	c := t.Device.Command()
	if !slices.ContainsFunc(s.Conn.Subscriptions(), func(sub mqtt.Subscription) bool { return sub.QoS > 0 && mqtt.Match(sub.Filter, c.Topic) }) {
		return check.NotApplicable("it subscribes to its commands with QoS 0, for which nothing is promised")
	}
	t.Step("make its connection dead, and send a command with QoS 1; its keep-alive is %.0f s", k.Seconds())
	u := unheard{keepAlive: k, good: 2*k + 5*time.Second, still: 2*k + 5*time.Second, since: "the last packet that passed"}
	mark, start := t.Log.Len(), t.Clock.Now()
	t.Link.Silence()
	t.Broker.Publish(broker.Message{Topic: c.Topic, Payload: c.Payload, QoS: 1})
	if err := u.awaitNotice(ctx, t, s, mark, start); err != nil {
		return err
	}
	if !u.closed { // it will not come back by itself
		t.Link.Cut(true)
	}
	next, err := u.awaitReturn(ctx, t, mark)
	if err != nil {
		return err
	}
	found := judgeUnheard(u)
	if next != nil {
		l, err := awaitKept(ctx, t, c, next, mark)
		if err != nil {
			return err
		}
		if l.arrived {
			t.MeasureTime("sent to carried out", l.at.Sub(start), "")
		}
		found = append(found, judgeLetter(l)...)
	}
	t.Find(found...)
	return nil
}

// letter is what became of a command that was sent while the connection was dead.
type letter struct {
	arrived     bool
	at          time.Time
	clean       bool // the device came back with a clean session
	first, last int
}

func awaitKept(ctx context.Context, t *check.T, c testbed.Command, next *testbed.Session, mark int) (letter, error) {
	l := letter{clean: next.Connect.Connect.Clean, first: mark}
	e, err := t.Device.AwaitEffect(ctx, c, mark, arriveWithin+t.Clock.Device(250*time.Millisecond))
	l.arrived, l.at, l.last = err == nil, e.At, t.Log.Len()-1
	return l, ctx.Err()
}

func judgeLetter(l letter) []check.Finding {
	if l.arrived {
		return nil
	}
	f := check.Finding{
		Title:    "Never carries out a command that was sent when its connection was dead",
		Expected: fmt.Sprintf("its effect within %.0f s of the next connection", arriveWithin.Seconds()),
		Seen:     "the device connected again, and no effect came",
		Evidence: check.Range(l.first, l.last, "from the end of the old connection on"),
	}
	if l.clean {
		f.Severity = check.Major
		f.Seen += "; it had started a clean session, which throws away what was kept for it"
	}
	return []check.Finding{f}
}
