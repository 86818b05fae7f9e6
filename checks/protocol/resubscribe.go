package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// drops is how often Resubscribe closes the connection.
const drops = 3

// Resubscribe closes the connection of a device several times.
var Resubscribe = &check.Check{
	ID:    "protocol.resubscribe",
	Title: "Has all its subscriptions back after every dropped connection",
	Why: "A device that subscribes at power-on only works in the lab, until its first reconnect. " +
		"From then on it looks online and takes no command.",
	Pass:         "after each of 3 closed connections every topic filter that it had is subscribed within 10 s of CONNACK, by a kept session or anew",
	Fix:          "subscribe in the handler of CONNACK, not after the first connect call",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.session.clean-resubscribe"},
	Sources:      []string{"MQTT-3.1.2-6 (3.1.1)", "MQTT-3.1.2-4 (5.0)", "github.com/peterhinch/micropython-mqtt issue 46", "github.com/eclipse/paho.mqtt.cpp issue 433"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        100 * time.Minute,
	Run:          resubscribe,
}

func resubscribe(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	subs, err := check.Subscriptions(s)
	if err != nil {
		return err
	}
	for n := range drops {
		t.Step("close its connection, time %d of %d", n+1, drops)
		if s, err = reopen(ctx, t, s); err != nil {
			return err
		}
		missing, _, err := t.Device.AwaitFilters(ctx, s, testbed.Filters(subs), resubscribeWithin+t.Clock.Device(250*time.Millisecond))
		if err != nil {
			return err
		}
		if found := judgeMissing(missing, fmt.Sprintf("reconnect %d of %d", n+1, drops)); found != nil {
			found[0].Evidence = check.Range(s.Mark, t.Log.Len()-1, "from CONNACK on: what it subscribed to")
			t.Find(found...)
			return nil
		}
	}
	return nil
}
