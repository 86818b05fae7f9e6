package load

import (
	"bytes"
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

// BrokerLimits goes to the limits of what the standard allows.
var BrokerLimits = &check.Check{
	ID:    "load.broker-limits",
	Title: "Serves or refuses what is large, and nobody else suffers",
	Why: "Long topics, large payloads and many subscriptions come with the second product generation. " +
		"A broker that drops them without a word loses data that nobody misses at first.",
	Pass:         "topics up to 65,535 bytes, client ids up to 1024 bytes, payloads up to 256 KiB and 1000 subscriptions either work or are refused with a code or a close within 10 s, and another client is served all the same",
	Fix:          "document the limits, announce them in CONNACK, and refuse with a reason code what is beyond",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Rows:         []string{"broker.limits"},
	Sources:      []string{"MQTT 3.1.1 and 5.0 section 1.5", "hivemq/mqtt-cli: mqtt test"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        5 * time.Minute,
	Run:          brokerLimits,
}

// extent is something large, and what became of it.
type extent struct {
	what        string
	outcome     string // "works", "refused", "closed"; empty: neither a refusal nor the message came
	detail      string
	others      error // nil: another client is served
	first, last int
}

func brokerLimits(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	other, err := t.Join(ctx, room, 1)
	if err != nil {
		return err
	}
	for _, p := range probes(t, room) {
		t.Step("try %s", p.what)
		e := extent{what: p.what, first: t.Log.Len()}
		e.outcome, e.detail, err = p.try(ctx)
		if err != nil {
			return err
		}
		e.others = testbed.Echo(ctx, other, room.Topic("other"))
		e.last = t.Log.Len() - 1
		t.Record("%s: %s %s", e.what, e.outcome, e.detail)
		t.Find(judgeExtent(e)...)
		if e.others != nil {
			if other, err = t.Join(ctx, room, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// probe tries one large thing and says what became of it.
type probe struct {
	what string
	try  func(context.Context) (outcome, detail string, err error)
}

func probes(t *check.T, room testbed.Room) []probe {
	var all []probe
	for _, n := range []int{256, 4096, 32767, 65535} {
		all = append(all, probe{fmt.Sprintf("a topic of %d bytes", n), func(ctx context.Context) (string, string, error) {
			topic := room.Topic("long/")
			return echo(ctx, t, room, topic+strings.Repeat("t", n-len(topic)), nil)
		}})
	}
	for _, n := range []int{1 << 10, 128 << 10, 256 << 10} {
		all = append(all, probe{fmt.Sprintf("a payload of %d KiB", n>>10), func(ctx context.Context) (string, string, error) {
			return echo(ctx, t, room, room.Topic("large"), bytes.Repeat([]byte("p"), n))
		}})
	}
	all = append(all, probe{"1000 subscriptions of one client", func(ctx context.Context) (string, string, error) { return subscribe(ctx, t, room) }})
	if !t.Cloud.Open() {
		return all // ids are bound to identities
	}
	for _, n := range []int{1, 23, 256, 1024} {
		all = append(all, probe{fmt.Sprintf("a client id of %d bytes", n), func(ctx context.Context) (string, string, error) {
			c, err := room.Dial(ctx, 0, func(o *client.Options) { o.ClientID = strings.Repeat("i", n) })
			if err != nil {
				return "", "", check.Refuses(err)
			}
			defer c.Close()
			ack, err := c.Connect(ctx)
			if err == nil && ack.Code == 0 {
				return "works", "", nil
			}
			return ended(ctx, c, ack, err)
		}})
	}
	return all
}

// echo publishes a message that its sender subscribes to.
func echo(ctx context.Context, t *check.T, room testbed.Room, topic string, payload []byte) (outcome, detail string, err error) {
	c, err := t.Join(ctx, room, 0)
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	if err := check.Subscribed(ctx, c, mqtt.Subscription{Filter: room.Topic("#"), QoS: 1}); err != nil {
		return "", "", err
	}
	ack, err := c.Publish(ctx, mqtt.Packet{Topic: topic, QoS: 1, Payload: payload})
	if err != nil || ack.Code >= 0x80 {
		return ended(ctx, c, ack, err)
	}
	got, err := c.AwaitMessages(ctx, 10*time.Second, 1)
	if err != nil {
		return ended(ctx, c, ack, err)
	}
	if m := got[0]; m.Topic != topic || !bytes.Equal(m.Payload, payload) {
		return "", "it came changed", nil
	}
	return "works", "", nil
}

// subscribe makes 1000 subscriptions in packets of 50.
func subscribe(ctx context.Context, t *check.T, room testbed.Room) (outcome, detail string, err error) {
	c, err := t.Join(ctx, room, 0)
	if err != nil {
		return "", "", err
	}
	defer c.Disconnect(0)
	const total, step = 1000, 50
	for n := 0; n < total; n += step {
		var subs []mqtt.Subscription
		for i := range step {
			subs = append(subs, mqtt.Subscription{Filter: room.Topic(fmt.Sprintf("many/%d", n+i)), QoS: 1})
		}
		codes, err := c.Subscribe(ctx, subs...)
		if err != nil {
			return ended(ctx, c, client.Received{}, err)
		}
		for i, code := range codes {
			if code > 2 {
				return "refused", fmt.Sprintf("subscription %d got code 0x%02X", n+i+1, code), nil
			}
		}
	}
	return "works", "", nil
}

// ended tells a refusal from a close and from silence.
func ended(ctx context.Context, c *client.Conn, ack client.Received, err error) (outcome, detail string, _ error) {
	switch end := c.Ended(); {
	case ctx.Err() != nil:
		return "", "", ctx.Err()
	case err == nil:
		return "refused", ack.Packet.String(), nil
	case end != nil:
		return "closed", end.By, nil
	}
	return "", err.Error(), nil
}

func judgeExtent(e extent) []check.Finding {
	var found []check.Finding
	evidence := check.Range(e.first, e.last, e.what)
	if e.outcome == "" {
		found = append(found, check.Finding{Title: "Neither serves nor refuses " + e.what, Seen: e.detail, Evidence: evidence})
	}
	if e.others != nil {
		found = append(found, check.Finding{
			Severity: check.Blocker, Title: "Stops serving another client after " + e.what,
			Seen: e.others.Error(), Evidence: evidence,
		})
	}
	return found
}
