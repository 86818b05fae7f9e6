package load

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

// RetainedFlood has clients subscribe to hundreds of retained messages at once.
var RetainedFlood = &check.Check{
	ID:    "load.retained-flood",
	Title: "Hands out hundreds of retained messages to each new subscriber",
	Why: "A backend that starts again subscribes to everything and gets the last state of each device at once. What a broker leaves " +
		"out then is missing until that device speaks again, which for a door sensor can be a week.",
	Pass: "each of up to 10 clients that subscribe at the same time to 300 topics with a retained message gets all 300 within 60 s, and another " +
		"client is served meanwhile",
	Fix:          "raise the queue that a subscriber may have (max_queued_messages in mosquitto), or send retained messages as fast as they are taken",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT 3.1.1 section 3.8.4, [MQTT-3.3.1-6]: the last retained message, if any, on each matching topic must be sent", "the 60 s are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run:          retainedFlood,
}

const (
	kept        = 300 // retained messages
	subscribers = 10  // at most
	keptWithin  = 60 * time.Second
)

// flooding is what became of retained messages and their subscribers.
type flooding struct {
	got    []int  // distinct retained messages, by subscriber
	ended  []bool // whether its connection ended
	others error  // nil: another client was served
}

func retainedFlood(ctx context.Context, t *check.T) error {
	crowd := 2
	if t.Cloud.Open() { // as many as one likes
		crowd = 1 + subscribers
	}
	room, err := t.Room(ctx, crowd)
	if err != nil {
		return err
	}
	writer, err := t.Join(ctx, room, 0)
	if err != nil {
		return err
	}
	t.Step("publish %d retained messages", kept)
	if err := retain(ctx, writer, room, "1"); err != nil {
		return err
	}
	t.Undo(func() { _ = retain(context.WithoutCancel(ctx), writer, room, "") })
	var all []*client.Conn
	for i := 1; i < min(len(room.Members), 1+subscribers); i++ {
		c, err := t.Join(ctx, room, i)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	t.Step("subscribe %d clients to all of them at once", len(all))
	first := t.Log.Len()
	for _, c := range all {
		sub := mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: c.NextID(), Filters: []mqtt.Subscription{{Filter: room.Topic("kept/#"), QoS: 1}}}
		if err := c.Send(&sub); err != nil {
			return check.Refuses(fmt.Errorf("%w: %w", client.ErrClosed, err))
		}
	}
	o := flooding{others: testbed.Echo(ctx, writer, room.Topic("echo"))}
	wait, cancel := t.Clock.Timeout(ctx, keptWithin)
	defer cancel()
	for _, c := range all {
		for held(c) < kept && c.Ended() == nil && t.Clock.Sleep(wait, 300*time.Millisecond) == nil { // counts what came so far
		}
		o.got, o.ended = append(o.got, held(c)), append(o.ended, c.Ended() != nil)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, f := range judgeRetained(o) {
		f.Evidence = check.Range(first, t.Log.Len()-1, "from the subscriptions on")
		t.Find(f)
	}
	return nil
}

// retain publishes the messages at QoS 1, since others may be dropped on the way, or with an empty payload clears them.
func retain(ctx context.Context, c *client.Conn, room testbed.Room, text string) error {
	for i := range kept {
		ack, err := c.Publish(ctx, mqtt.Packet{Topic: room.Topic(fmt.Sprintf("kept/%d", i)), Payload: []byte(text), Retain: true, QoS: 1})
		if err != nil {
			return check.Refuses(err)
		}
		if ack.Code >= 0x80 {
			return check.NotRun("let the first identity under clients: publish retained messages", "the cloud refuses retained message %d: %s", i+1, ack.Packet)
		}
	}
	return nil
}

// held is how many topics a client got a retained message of.
func held(c *client.Conn) int {
	topics := map[string]bool{}
	for _, m := range c.Messages() {
		if m.Retain {
			topics[m.Topic] = true
		}
	}
	return len(topics)
}

func judgeRetained(o flooding) []check.Finding {
	var found []check.Finding
	short, least, most, ended := 0, kept, 0, 0
	for i, n := range o.got {
		most = max(most, n)
		if n < kept {
			short++
			least = min(least, n)
			if o.ended[i] {
				ended++
			}
		}
	}
	switch {
	case short > 0 && most == 0: // so that it is not their number
		found = append(found, check.Finding{
			Title: "Hands out no retained message for a filter with a wildcard",
			Seen: fmt.Sprintf("none of %d subscribers to all %d topics by one filter got a retained message within %.0f s; %d of them were disconnected",
				len(o.got), kept, keptWithin.Seconds(), ended),
		})
	case short > 0:
		found = append(found, check.Finding{
			Title: "Leaves retained messages out when there are many",
			Seen: fmt.Sprintf("%d of %d subscribers did not get all %d retained messages within %.0f s, the worst %d; %d of them were disconnected",
				short, len(o.got), kept, keptWithin.Seconds(), least, ended),
		})
	}
	if o.others != nil {
		found = append(found, check.Finding{Title: "Stops serving another client while it hands out retained messages", Seen: o.others.Error()})
	}
	return found
}
