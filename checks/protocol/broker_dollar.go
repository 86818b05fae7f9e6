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
)

// BrokerDollar subscribes to everything and looks for what is not part of it.
var BrokerDollar = &check.Check{
	ID:    "protocol.broker-dollar",
	Title: "Keeps $-topics out of a subscription to #",
	Why: "Services that subscribe to everything store what comes. " +
		"With $SYS among it they store the broker's own statistics as if devices had sent them.",
	Pass:         "no topic that starts with $ comes for the filters # and +/# within 12 s, in which one is published",
	Fix:          "do not match a filter that starts with a wildcard against a topic that starts with $",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.dollar"},
	Sources:      []string{"MQTT-4.7.2-1", "paho.mqtt.testing: $ topics"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      15 * time.Second,
	Limit:        time.Minute,
	Run:          brokerDollar,
}

func brokerDollar(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	for _, who := range t.Cloud.Identities(1) {
		if !t.Cloud.Open() && !testbed.May(who.Subscribe, "shakedown-everything") {
			continue
		}
		c, err := t.Cloud.Join(ctx, who)
		if err != nil {
			return check.Refuses(err)
		}
		first := t.Log.Len()
		codes, err := c.Subscribe(ctx, mqtt.Subscription{Filter: "#"}, mqtt.Subscription{Filter: "+/#"})
		if err != nil {
			return check.Refuses(err)
		}
		if len(codes) != 2 || codes[0] > 2 {
			continue
		}
		t.Step("listen to # as %s, and publish to a $-topic", who.ID)
		if err := c.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: "$shakedown/" + room.Root}); err != nil { // may be refused
			return check.Refuses(err)
		}
		leak, err := c.Await(ctx, 12*time.Second, func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBLISH && strings.HasPrefix(p.Topic, "$") })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		topic := ""
		if err == nil {
			topic = leak.Topic
		}
		t.Find(judgeDollar(topic, first, t.Log.Len()-1)...)
		return nil
	}
	return check.NotApplicable("none of the cloud's test identities may subscribe to #")
}

func judgeDollar(topic string, first, last int) []check.Finding {
	if topic == "" {
		return nil
	}
	return []check.Finding{{
		Title:    "Sends $-topics for a subscription to #",
		Seen:     fmt.Sprintf("a message to %s came", topic),
		Evidence: check.Range(first, last, "the subscription to #"),
	}}
}
