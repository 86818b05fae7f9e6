package protocol

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerShared lets two clients share one subscription.
var BrokerShared = &check.Check{
	ID:    "protocol.broker-shared",
	Title: "Gives each message to one member of a shared subscription",
	Why: "Services share a subscription to share the work. " +
		"A message that goes to two is billed, stored or acted on twice; one that goes to none is lost.",
	Pass:         "each of 20 QoS 1 messages comes to exactly one of two clients with the same $share filter",
	Fix:          "choose one member for each message, and keep to it until it is acknowledged or gone",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.shared"},
	Sources:      []string{"MQTT-4.8.2-4", "paho.mqtt.testing: shared subscriptions"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Observes,
	Typical:      4 * time.Second,
	Limit:        time.Minute,
	Run:          brokerShared,
}

const sharedMessages = 20

func brokerShared(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	a, err := room.Dial(ctx, 0)
	if err != nil {
		return err
	}
	ack, err := a.Connect(ctx)
	if err != nil {
		return check.Refuses(err)
	}
	if ack.Props.Int(mqtt.SharedAvailable, 1) == 0 {
		return check.NotApplicable("the cloud says that it has no shared subscriptions")
	}
	b, err := t.Join(ctx, room, 1)
	if err != nil {
		return err
	}
	share := mqtt.Subscription{Filter: "$share/shakedown/" + room.Topic("work/#"), QoS: 1}
	first := t.Log.Len()
	if err := check.Subscribed(ctx, a, share); err != nil {
		return err
	}
	if err := check.Subscribed(ctx, b, share); err != nil {
		return err
	}
	t.Step("publish %d messages to a shared subscription of two clients", sharedMessages)
	for n := range sharedMessages {
		if _, err := a.Publish(ctx, mqtt.Packet{Topic: room.Topic("work/item"), QoS: 1, Payload: []byte(strconv.Itoa(n))}); err != nil {
			return check.Refuses(err)
		}
	}
	if err := a.Quiet(ctx, 2*time.Second); err != nil {
		return err
	}
	if err := b.Quiet(ctx, 2*time.Second); err != nil {
		return err
	}
	copies := make([]int, sharedMessages)
	for _, m := range append(a.Messages(), b.Messages()...) {
		if n, err := strconv.Atoi(string(m.Payload)); err == nil && n >= 0 && n < sharedMessages {
			copies[n]++
		}
	}
	t.Record("%d messages came to one client and %d to the other", len(a.Messages()), len(b.Messages()))
	t.Find(judgeShared(copies, first, t.Log.Len()-1)...)
	return nil
}

// judgeShared looks at how many copies of each message came to all members together.
func judgeShared(copies []int, first, last int) []check.Finding {
	lost, multiplied := 0, 0
	for _, n := range copies {
		switch {
		case n == 0:
			lost++
		case n > 1:
			multiplied++
		}
	}
	var found []check.Finding
	find := func(n int, title, what string) {
		if n > 0 {
			found = append(found, check.Finding{
				Title: title, Seen: fmt.Sprintf("%d of %d messages came to %s", n, len(copies), what),
				Evidence: check.Range(first, last, "the shared subscription and the messages"),
			})
		}
	}
	find(multiplied, "Gives a message to more than one member of a shared subscription", "more than one client, or twice to one")
	find(lost, "Loses messages to a shared subscription", "nobody")
	return found
}
