package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/broker"
)

// cutExpiry is the session expiry that the broker allows, in seconds.
const cutExpiry = 2

// SessionExpiry lets the session of a device end while the device is away.
var SessionExpiry = &check.Check{
	ID:    "protocol.session-expiry",
	Title: "Works again after an absence that was longer than its session",
	Why: "Clouds cut the life of sessions down: to an hour, or a day. " +
		"A device that was asleep or offline for longer comes back to a broker that knows nothing of its subscriptions.",
	Pass:         "when the broker cuts Session Expiry down to 2 s and the device is away for longer, all its topic filters are subscribed within 10 s of the next CONNACK, and it answers",
	Fix:          "look at the session present flag of CONNACK, however short the absence seemed; take Session Expiry from CONNACK",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-2"},
	Rows:         []string{"mqtt.session.expiry-v5", "fault.session.expired_on_wake"},
	Sources:      []string{"MQTT-3.1.2-23 (5.0)", "MQTT 5.0 section 3.2.2.3.2"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        45 * time.Minute,
	Run:          sessionExpiry,
}

func sessionExpiry(ctx context.Context, t *check.T) error {
	t.Broker.Set(func(o *broker.Options) { o.MaxSessionExpiry = cutExpiry })
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	subs, err := check.Subscriptions(s)
	if err != nil {
		return err
	}
	if err := lasting(s); err != nil {
		return err
	}
	t.Step("keep the device away until its session has ended")
	mark, err := away(ctx, t, s)
	if err != nil {
		return err
	}
	next, err := t.Again(ctx, mark)
	if err != nil {
		return err
	}
	missing, _, err := t.Device.AwaitFilters(ctx, next, testbed.Filters(subs), resubscribeWithin+t.Clock.Device(250*time.Millisecond))
	if err != nil {
		return err
	}
	if found := judgeMissing(missing, "an absence longer than its session"); found != nil {
		found[0].Evidence = check.Range(next.Mark, t.Log.Len()-1, "from CONNACK on: what it subscribed to")
		t.Find(found...)
		return nil
	}
	p, err := t.Device.Probe(ctx, next, next.Mark, t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "an absence longer than its session")...)
	return nil
}

// away refuses the device until its session has ended, and returns the mark from which it can come back.
func away(ctx context.Context, t *check.T, s *testbed.Session) (mark int, err error) {
	undo, err := t.Link.Refuse()
	if err != nil {
		return 0, err
	}
	heal := t.Impair(undo)
	s.Conn.Close()
	for range 100 {
		if err := t.Clock.Sleep(ctx, cutExpiry*time.Second/4); err != nil {
			return 0, err
		}
		if _, there := t.Broker.Session(s.Conn.ClientID()); !there {
			mark = t.Log.Len()
			heal()
			return mark, nil
		}
	}
	return 0, check.NotRun("run the check again", "its session did not end")
}
