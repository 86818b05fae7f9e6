package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// SlowWildcard subscribes to all that the fleet sends, and acknowledges none of it.
var SlowWildcard = &check.Check{
	ID:    "load.slow-wildcard",
	Title: "Keeps one slow subscriber to everything from harming the rest",
	Why: "A new analytics job subscribes to all telemetry and can't keep up. What a broker does then to the messages of that job is a " +
		"matter of its settings; that the others lose messages is not.",
	Pass: "while a subscriber to all that the fleet sends acknowledges nothing, all messages of the fleet are acknowledged and reach the other " +
		"subscriber; once it acknowledges again, it gets more, or its connection was ended and it may come back",
	Fix:          "give each subscriber a queue of its own, bound it, and say what happens when it is full",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Sources:      []string{"MQTT 3.1.1 section 4.3.2, 5.0 section 4.9"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        time.Hour,
	Run:          slowWildcard,
}

// slow is what became of the subscriber that was slow.
type slow struct {
	before, after int  // messages that it got while it acknowledged nothing, and in all
	ended         bool // its connection was ended
	back          error
}

func slowWildcard(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	filters, err := feeds(few(f, 500))
	if err != nil {
		return err
	}
	who, ok := t.Cloud.Onlooker(filters[0])
	if !ok {
		return check.NotRun("list an identity under clients: that may subscribe to "+filters[0], "nobody but the fleet's operator may read what it sends")
	}
	c, err := t.LookOn(ctx, who, nil, narrowWindow(10))
	if err != nil {
		return err
	}
	c.Hold()
	first := t.Log.Len()
	if err := subscribeAll(ctx, c, filters); err != nil {
		return err
	}
	l := testbed.Load{Fleet: f, For: span(f, 20*time.Second, 0.4)}
	t.Step("%d devices send; one subscriber to %s acknowledges nothing", f.Devices, filters[0])
	r, err := played(ctx, t, "One subscriber is slow", l, showsAcks)
	if err != nil {
		return err
	}
	s := slow{before: len(c.Messages()), ended: c.Ended() != nil}
	if s.before == 0 && !s.ended {
		return check.NotRun("see that the identity may subscribe to what the fleet sends", "the slow subscriber got no message, so that it was none")
	}
	if int(r.Totals.Counts[series.Acked]) <= s.before {
		return check.NotRun("have the fleet send more, or more often", "all %d messages had room in the window of the slow subscriber", s.before)
	}
	if !s.ended {
		t.Step("it acknowledges again")
		release(c)
		_, _ = c.AwaitMessages(ctx, 20*time.Second, s.before+1)
		s.after, s.ended = len(c.Messages()), c.Ended() != nil
	}
	if s.ended {
		var again *client.Conn
		if again, s.back = t.Cloud.Join(ctx, who); s.back == nil {
			again.Disconnect(0)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	found := judgeSlow(s, r)
	for i := range found {
		found[i].Evidence = check.Range(first, t.Log.Len()-1, "the slow subscriber")
	}
	return findIn(t, r, found)
}

// feeds are the filters that take in all telemetry of a fleet.
func feeds(f *product.Fleet) (filters []string, err error) {
	for i := range f.Classes {
		for _, one := range f.Classes[i].Telemetry {
			filters = append(filters, payload.Filter(one.Topic))
		}
	}
	if len(filters) == 0 {
		return nil, check.NotRun("give a class telemetry:", "the fleet sends nothing")
	}
	return filters, nil
}

// narrowWindow lets a client of MQTT 5.0 have only n messages in flight.
func narrowWindow(n uint32) func(*client.Options) {
	return func(o *client.Options) {
		if o.Version == mqtt.V5 {
			o.Props = append(o.Props, mqtt.Property{ID: mqtt.ReceiveMaximum, Int: n})
		}
	}
}

func subscribeAll(ctx context.Context, c *client.Conn, filters []string) error {
	var subs []mqtt.Subscription
	for _, f := range filters {
		subs = append(subs, mqtt.Subscription{Filter: f, QoS: 1})
	}
	return check.Subscribed(ctx, c, subs...)
}

// release acknowledges what was held back, and from now on all that comes.
func release(c *client.Conn) {
	held := c.Packets()
	c.Resume()
	for _, m := range held {
		if m.Type == mqtt.PUBLISH && m.QoS == 1 {
			_ = c.Send(&mqtt.Packet{Type: mqtt.PUBACK, ID: m.ID}) // a connection that has ended shows by itself
		}
	}
}

func judgeSlow(s slow, r *series.Record) []check.Finding {
	found := judgeHarm("Harms others when one subscriber is slow", r)
	switch {
	case s.back != nil:
		found = append(found, check.Finding{
			Severity: check.Major, Title: "Ends the connection of a slow subscriber, and does not take it back", Seen: s.back.Error(),
		})
	case !s.ended && s.after <= s.before:
		found = append(found, check.Finding{
			Severity: check.Major, Title: "Sends a subscriber that was slow nothing more",
			Seen: fmt.Sprintf("it got %d messages, acknowledged them late, and got nothing more within 20 s, with its connection open", s.before),
		})
	}
	return found
}
