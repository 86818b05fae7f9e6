package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerRetained sets, replaces and clears a retained message.
var BrokerRetained = &check.Check{
	ID:    "protocol.broker-retained",
	Title: "Keeps exactly the last retained message of a topic",
	Why: "The state of a device is a retained message. " +
		"An app that gets an old one, or one that was deleted, shows a state that is not true.",
	Pass:         "a new subscription gets exactly the last retained message, with RETAIN set and no more than the QoS it asked for, and none after an empty one",
	Fix:          "replace the stored message at every RETAIN, and delete it at an empty payload",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"broker.retained"},
	Sources:      []string{"MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-10 (3.1.1)", "paho.mqtt.testing: retained message"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      8 * time.Second,
	Limit:        2 * time.Minute,
	Run:          brokerRetained,
}

// kept is what a new subscription got after something was retained.
type kept struct {
	did         string
	want        string // payload; empty: nothing
	asked       byte   // QoS of the subscription
	came        []mqtt.Packet
	first, last int
}

func brokerRetained(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	c, err := room.Dial(ctx, 0)
	if err != nil {
		return err
	}
	if ack, err := c.Connect(ctx); err != nil {
		return check.Refuses(err)
	} else if ack.Props.Int(mqtt.RetainAvailable, 1) == 0 {
		return check.NotApplicable("the cloud says that it has no retained messages")
	}
	for _, step := range []struct {
		did     string
		payload string
		qos     byte
		asked   byte
	}{
		{"setting it", "one", 1, 1},
		{"replacing it", "two", 1, 1},
		{"replacing it with QoS 0", "three", 0, 1},
		{"asking for a lower QoS", "four", 1, 0},
		{"clearing it", "", 1, 1},
	} {
		t.Step("retained message: %s", step.did)
		k := kept{did: step.did, want: step.payload, asked: step.asked, first: t.Log.Len()}
		m := mqtt.Packet{Topic: room.Topic("state"), Retain: true, QoS: step.qos, Payload: []byte(step.payload)}
		if _, err := c.Publish(ctx, m); err != nil {
			return check.Refuses(err)
		}
		if err := c.Ping(ctx, 10*time.Second); err != nil { // QoS 0 has arrived
			return check.Refuses(err)
		}
		if k.came, err = fresh(ctx, t, room, k); err != nil {
			return err
		}
		k.last = t.Log.Len() - 1
		t.Find(judgeKept(k)...)
	}
	return nil
}

// fresh is what a new subscription gets.
func fresh(ctx context.Context, t *check.T, room testbed.Room, k kept) ([]mqtt.Packet, error) {
	c, err := t.Join(ctx, room, 1)
	if err != nil {
		return nil, err
	}
	defer c.Disconnect(0)
	if err := check.Subscribed(ctx, c, mqtt.Subscription{Filter: room.Topic("state"), QoS: k.asked}); err != nil {
		return nil, err
	}
	if k.want != "" {
		_, _ = c.AwaitMessages(ctx, 5*time.Second, 1)
	}
	err = c.Quiet(ctx, time.Second)
	var came []mqtt.Packet
	for _, m := range c.Messages() {
		came = append(came, *m.Packet)
	}
	return came, err
}

func judgeKept(k kept) []check.Finding {
	f := check.Finding{
		Title: "Mistakes a retained message after " + k.did, Evidence: check.Range(k.first, k.last, k.did+" and a new subscription"),
		Expected: fmt.Sprintf("the message %q", k.want),
	}
	if k.want == "" {
		f.Expected = "no message"
	}
	switch {
	case k.want == "" && len(k.came) == 0:
		return nil
	case len(k.came) == 0:
		f.Seen = "nothing came"
	case len(k.came) > 1 || k.want == "":
		f.Seen = fmt.Sprintf("%d messages came, the first is %s", len(k.came), &k.came[0])
	case string(k.came[0].Payload) != k.want:
		f.Seen = fmt.Sprintf("%q came", k.came[0].Payload)
	case !k.came[0].Retain:
		f.Seen, f.Severity = "it came without RETAIN", check.Minor
	case k.came[0].QoS > k.asked:
		f.Seen = fmt.Sprintf("it came with QoS %d for a subscription with QoS %d", k.came[0].QoS, k.asked)
	default:
		return nil
	}
	return []check.Finding{f}
}
