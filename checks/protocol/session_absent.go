package protocol

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// resubscribeWithin is how long a device may take from CONNACK to its last subscription.
const resubscribeWithin = 10 * time.Second

// SessionAbsent answers a device that resumes its session with session present 0.
var SessionAbsent = &check.Check{
	ID:    "protocol.session-absent",
	Title: "Subscribes again when the broker has lost its session",
	Why: "Brokers lose sessions when they are moved, updated or full. " +
		"A device that relies on its old subscriptions looks online afterwards and takes no command until it is restarted.",
	Pass:         "after CONNACK with session present 0 all topic filters that it had are subscribed again within 10 s",
	Fix:          "look at the session present flag of CONNACK: when it is 0, subscribe to everything again",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.session.present-0"},
	Sources:      []string{"MQTT-3.2.2-2 (3.1.1)", "MQTT-3.2.2-5 (5.0)", "AWS IoT Device Advisor, test MQTT Expired Persistent Session (same criterion, without the limit of 10 s)", "github.com/mqttjs/MQTT.js issue 895"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        40 * time.Minute,
	Run:          sessionAbsent,
}

func sessionAbsent(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	subs, err := check.Subscriptions(s)
	if err != nil {
		return err
	}
	if s.Connect.Connect.Clean {
		return check.NotApplicable("it starts a clean session at every connection; see protocol.resubscribe")
	}
	t.Step("close the connection, and lose the session before the device is back")
	t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Do: func(ex *broker.Exchange) {
		t.Broker.Forget(ex.Conn.ClientID())
	}}))
	next, err := reopen(ctx, t, s)
	if err != nil {
		return err
	}
	missing, took, err := t.Device.AwaitFilters(ctx, next, testbed.Filters(subs), resubscribeWithin+t.Clock.Device(250*time.Millisecond))
	if err != nil {
		return err
	}
	found := judgeMissing(missing, "a CONNACK with session present 0")
	for i := range found {
		found[i].Evidence = check.Range(next.Mark, t.Log.Len()-1, "from CONNACK on: what it subscribed to")
	}
	t.Find(found...)
	if len(missing) == 0 {
		t.MeasureTime("CONNACK to last subscription", took, "<= 10 s")
	}
	return nil
}

// judgeMissing judges which of its subscriptions a device did not make again within 10 s; after says when it should have.
func judgeMissing(missing []string, after string) []check.Finding {
	if len(missing) == 0 {
		return nil
	}
	return []check.Finding{{
		Title:    "Is connected without its subscriptions after " + after,
		Expected: fmt.Sprintf("its subscriptions again within %.0f s of %s", resubscribeWithin.Seconds(), after),
		Seen:     "it did not subscribe again to " + strings.Join(missing, ", "),
	}}
}
