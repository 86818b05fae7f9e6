package security

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerACL lets one device reach for the topics of another.
var BrokerACL = &check.Check{
	ID:    "security.broker-acl",
	Title: "Keeps devices out of each other's topics",
	Why: "One device that is opened and read out gives away its credentials. " +
		"If these are good for the topics of all, one device is enough to command the whole fleet.",
	Pass:         "nothing that device A publishes to topics of B is delivered, no message of B comes to A for B's topics, # or $SYS/#, and B is served all the same",
	Fix:          "limit every device to its own topics, by its authenticated identity",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "API10:API1", "IOT10:I3"},
	Incidents:    []string{"INC-039"},
	Rows:         []string{"broker.acl"},
	Sources:      []string{"AWS IoT Device Advisor, test Security_Device_Policies", "MQTT 5.0 section 5.4.2"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Clients: 2},
	Impact:       check.Observes,
	Typical:      10 * time.Second,
	Limit:        2 * time.Minute,
	Run:          brokerACL,
}

// trespass is what A got out of the topics of B.
type trespass struct {
	wrote       bool     // what A published came to B
	read        []string // filters by which messages of B came to A
	system      bool     // $SYS topics came to A
	granted     []string // filters that were granted, whatever came
	served      error    // nil: B is served in the end
	first, last int
}

func brokerACL(ctx context.Context, t *check.T) error {
	if _, err := t.Room(ctx, 1); err != nil {
		return err
	}
	a, b, topic, ok := neighbours(t.Cloud)
	if !ok {
		return check.NotRun("list two identities under clients: of which one may not write and read what the other may",
			"no two test identities have topics apart from each other")
	}
	owner, err := t.Cloud.Join(ctx, b)
	if err != nil {
		return check.Refuses(err)
	}
	if err := testbed.Echo(ctx, owner, topic); err != nil { // the same as the owner: the positive control
		return check.Refuses(err)
	}
	c := trespass{first: t.Log.Len()}
	t.Step("%s publishes to %s, which is of %s", a.ID, topic, b.ID)
	if c.wrote, err = writes(ctx, t, a, owner, topic); err != nil {
		return err
	}
	for _, filter := range []string{topic, topic[:strings.LastIndex(topic, "/")] + "/#", "#", "$SYS/#"} {
		t.Step("%s subscribes to %s", a.ID, filter)
		if err := reads(ctx, t, a, owner, filter, topic, &c); err != nil {
			return err
		}
	}
	c.served = testbed.Echo(ctx, owner, topic)
	c.last = t.Log.Len() - 1
	if len(c.granted) > 0 {
		t.Record("granted, though nothing may come: %s", strings.Join(c.granted, " "))
	}
	t.Find(judgeTrespass(c, a.ID, b.ID)...)
	return ctx.Err()
}

// neighbours finds identities a and b, and a topic that b may write and read and a may neither.
func neighbours(c *testbed.Cloud) (a, b product.Client, topic string, ok bool) {
	all := c.Identities(2)
	for _, b := range all {
		for _, filter := range b.Subscribe {
			topic := testbed.TopicUnder(filter)
			if !testbed.May(b.Publish, topic) || strings.HasPrefix(filter, "#") {
				continue
			}
			for _, a := range all {
				if a.ID != b.ID && !testbed.May(a.Publish, topic) && !testbed.May(a.Subscribe, topic) {
					return a, b, topic, true
				}
			}
		}
	}
	return a, b, "", false
}

// writes reports whether what a publishes comes to the owner.
func writes(ctx context.Context, t *check.T, a product.Client, owner *client.Conn, topic string) (bool, error) {
	c, err := t.Cloud.Join(ctx, a)
	if err != nil {
		return false, check.Refuses(err)
	}
	defer c.Disconnect(0)
	const word = "trespass"
	_, _ = c.Publish(ctx, mqtt.Packet{Topic: topic, QoS: 1, Payload: []byte(word)}) // refused, ignored or cut off: what counts is what comes
	_, err = owner.Await(ctx, 3*time.Second, func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBLISH && string(p.Payload) == word })
	return err == nil, ctx.Err()
}

// reads has a subscribe and the owner publish, and notes what a gets.
func reads(ctx context.Context, t *check.T, a product.Client, owner *client.Conn, filter, topic string, into *trespass) error {
	c, err := t.Cloud.Join(ctx, a)
	if err != nil {
		return check.Refuses(err)
	}
	defer c.Close()
	codes, err := c.Subscribe(ctx, mqtt.Subscription{Filter: filter, QoS: 1})
	if err == nil && len(codes) == 1 && codes[0] <= 2 {
		into.granted = append(into.granted, filter)
	}
	if _, err := owner.Publish(ctx, mqtt.Packet{Topic: topic, QoS: 1, Payload: []byte("private")}); err != nil {
		return check.Refuses(err)
	}
	if c.Ended() == nil {
		_ = c.Quiet(ctx, 2*time.Second)
	}
	for _, m := range c.Messages() {
		switch {
		case m.Topic == topic:
			into.read = append(into.read, filter)
			return ctx.Err()
		case strings.HasPrefix(m.Topic, "$SYS"):
			into.system = true
		}
	}
	return ctx.Err()
}

func judgeTrespass(c trespass, a, b string) []check.Finding {
	var found []check.Finding
	find := func(s check.Severity, title, format string, args ...any) {
		found = append(found, check.Finding{
			Severity: s, Title: title, Seen: fmt.Sprintf(format, args...),
			Evidence: check.Range(c.first, c.last, a+" reaches for the topics of "+b),
		})
	}
	if c.wrote {
		find(check.Blocker, "Lets a device publish to the topics of another", "what %s published came to %s", a, b)
	}
	if len(c.read) > 0 {
		find(check.Blocker, "Lets a device read the topics of another", "messages of %s came to %s for %s", b, a, strings.Join(c.read, ", "))
	}
	if c.system {
		find(check.Minor, "Shows a device the broker's own statistics", "$SYS topics came to %s", a)
	}
	if c.served != nil {
		find(check.Blocker, "Stops serving a device when another reaches for its topics", "%s: %v", b, c.served)
	}
	return found
}
