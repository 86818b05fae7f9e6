package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerWill leaves in several ways, with a will.
var BrokerWill = &check.Check{
	ID:    "protocol.broker-will",
	Title: "Publishes the will of a client that is lost, and of no other",
	Why: "The will is how an app learns that a device is offline. " +
		"One that is lost shows dead devices as online; one after an orderly goodbye raises false alarms.",
	Pass:         "the will comes within 2 s of a FIN or RST without DISCONNECT, not within 3 s of a DISCONNECT, and with a will delay of 1 s not more than 1 s before and 2 s after its end",
	Fix:          "discard the will at DISCONNECT 0x00 only, and run the will delay in a timer of its own",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"broker.will"},
	Sources:      []string{"MQTT-3.1.2-8, MQTT-3.14.4-3", "MQTT 5.0 section 3.1.3.2.2", "paho.mqtt.testing: will delay"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      10 * time.Second,
	Limit:        2 * time.Minute,
	Run:          brokerWill,
}

// parting is a way to leave, and when the will came.
type parting struct {
	how         string
	leave       func(*client.Conn)
	delay       uint32 // seconds
	due         bool
	came        time.Duration // after leaving; 0: it did not
	first, last int
}

const (
	willPatience = 10 * time.Second // for a will that is due
	willQuiet    = 3 * time.Second  // for one that is not
)

func brokerWill(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	ways := []parting{
		{how: "a FIN without DISCONNECT", leave: (*client.Conn).Close, due: true},
		{how: "a RST", leave: (*client.Conn).Reset, due: true},
		{how: "DISCONNECT", leave: func(c *client.Conn) { c.Disconnect(0) }},
	}
	if room.Version == mqtt.V5 {
		ways = append(ways,
			parting{how: "a FIN without DISCONNECT, with a will delay of 1 s", leave: (*client.Conn).Close, due: true, delay: 1},
			parting{how: "DISCONNECT 0x04 (with will message)", leave: func(c *client.Conn) { c.Disconnect(0x04) }, due: true})
	}
	for i, p := range ways {
		if err := part(ctx, t, room, &p, room.Topic(fmt.Sprintf("will-%d", i))); err != nil {
			return err
		}
		t.Find(judgeWill(p)...)
	}
	return nil
}

// part connects a client with a will, lets it leave and watches for the will.
func part(ctx context.Context, t *check.T, room testbed.Room, p *parting, topic string) error {
	p.first = t.Log.Len()
	watcher, err := t.Join(ctx, room, 1)
	if err != nil {
		return err
	}
	if err := check.Subscribed(ctx, watcher, mqtt.Subscription{Filter: topic, QoS: 1}); err != nil {
		return err
	}
	c, err := t.Join(ctx, room, 0, func(o *client.Options) {
		o.Will = &mqtt.Will{Topic: topic, Payload: []byte("lost"), QoS: 1}
		if p.delay > 0 {
			o.Will.Props = mqtt.Properties{{ID: mqtt.WillDelay, Int: p.delay}}
			o.Props = mqtt.Properties{{ID: mqtt.SessionExpiry, Int: 60}} // the will would be sent at the end of the session
		}
	})
	if err != nil {
		return err
	}
	t.Step("leave with %s", p.how)
	left := t.Clock.Now()
	p.leave(c)
	wait := willQuiet
	if p.due {
		wait = willPatience
	}
	if got, err := watcher.AwaitMessages(ctx, wait, 1); err == nil {
		p.came = max(got[0].At.Sub(left), time.Millisecond)
		t.MeasureTime("will after "+p.how, p.came, "")
	}
	watcher.Disconnect(0)
	p.last = t.Log.Len() - 1
	return ctx.Err()
}

func judgeWill(p parting) []check.Finding {
	early := time.Duration(0)
	late := 2 * time.Second
	if p.delay > 0 {
		early, late = time.Duration(p.delay)*time.Second-time.Second, time.Duration(p.delay)*time.Second+2*time.Second
	}
	f := check.Finding{
		Expected: "no will",
		Seen:     fmt.Sprintf("it came after %.1f s", p.came.Seconds()),
		Evidence: check.Range(p.first, p.last, "leaving with "+p.how),
	}
	if p.due {
		f.Expected = fmt.Sprintf("the will after %.0f to %.0f s", early.Seconds(), late.Seconds())
	}
	switch {
	case p.due && p.came == 0:
		f.Title = "Does not publish the will after " + p.how
		f.Seen = fmt.Sprintf("none came within %.0f s", willPatience.Seconds())
	case p.due && p.came < early:
		f.Title = "Publishes the will too early after " + p.how
	case p.due && p.came > late:
		f.Title = "Is late with the will after " + p.how
	case !p.due && p.came > 0:
		f.Title = "Publishes the will of a client that said goodbye"
	default:
		return nil
	}
	return []check.Finding{f}
}
