package protocol

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerOverlap makes two subscriptions that match one topic.
var BrokerOverlap = &check.Check{
	ID:    "protocol.broker-overlap",
	Title: "Delivers once, or once per filter, when subscriptions overlap",
	Why: "A client that subscribes to a room and to a device in it gets a command twice when the broker cannot count. " +
		"Some commands do harm when they come twice: toggle, step, dose.",
	Pass:         "a QoS 2 message for two filters with QoS 2 and 1 comes exactly once with QoS 2, or once with each QoS",
	Fix:          "send one copy with the highest QoS of all matching subscriptions",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.overlap"},
	Sources:      []string{"MQTT-3.3.5-1 (3.1.1), MQTT-3.3.4-2 (5.0)", "paho.mqtt.testing: overlapping subscriptions"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      3 * time.Second,
	Limit:        time.Minute,
	Run:          brokerOverlap,
}

func brokerOverlap(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	c, err := t.Join(ctx, room, 0)
	if err != nil {
		return err
	}
	first := t.Log.Len()
	if err := check.Subscribed(ctx, c, mqtt.Subscription{Filter: room.Topic("a/#"), QoS: 2}, mqtt.Subscription{Filter: room.Topic("a/+"), QoS: 1}); err != nil {
		return err
	}
	t.Step("publish a message with QoS 2 that both filters match")
	if _, err := c.Publish(ctx, mqtt.Packet{Topic: room.Topic("a/b"), QoS: 2, Payload: []byte("overlap")}); err != nil {
		return check.Refuses(err)
	}
	_, _ = c.AwaitMessages(ctx, 10*time.Second, 1)
	if err := c.Quiet(ctx, 2*time.Second); err != nil {
		return err
	}
	var came []byte
	for _, m := range c.Messages() {
		came = append(came, m.QoS)
	}
	t.Record("the message came with QoS %v", came)
	t.Find(judgeOverlap(came, first, t.Log.Len()-1)...)
	return nil
}

func judgeOverlap(came []byte, first, last int) []check.Finding {
	slices.Sort(came)
	if slices.Equal(came, []byte{2}) || slices.Equal(came, []byte{1, 2}) {
		return nil
	}
	f := check.Finding{
		Title:    "Lowers the QoS where subscriptions overlap",
		Seen:     fmt.Sprintf("%d copies came, with QoS %v", len(came), came),
		Evidence: check.Range(first, last, "the subscriptions and the message"),
	}
	switch {
	case len(came) == 0:
		f.Title, f.Severity = "Loses a message for which subscriptions overlap", check.Major
	case len(came) > 2:
		f.Title, f.Severity = "Multiplies a message for which subscriptions overlap", check.Major
	}
	return []check.Finding{f}
}
