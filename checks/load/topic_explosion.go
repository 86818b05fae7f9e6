package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// TopicExplosion publishes each message to a topic of its own.
var TopicExplosion = &check.Check{
	ID:    "load.topic-explosion",
	Title: "Copes with a client that uses a new topic for each message",
	Why: "A firmware that writes the time or a session number into the topic makes millions of topics in a week. Brokers and the " +
		"databases behind them keep something for each, until a limit that nobody knew drops messages.",
	Pass:         "each of 600 messages of QoS 1 to as many topics arrives at a subscriber of them all, or is refused with a code or a close, and another client is served all the while",
	Fix:          "keep nothing for a topic without subscription or retained message, and refuse with PUBACK 0x97 what is beyond a limit",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Sources:      []string{"the number is ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        5 * time.Minute,
	Run:          topicExplosion,
}

const manyTopics = 600

// explosion is what became of messages to so many topics.
type explosion struct {
	acked, arrived int
	refused        int
	ended          string // how the connection ended, or that no answer came
	silent         bool   // no answer came, and the connection stayed open
	others         error  // nil: another client is served
	first, last    int
}

func topicExplosion(ctx context.Context, t *check.T) error {
	room, reader, err := t.Reader(ctx, "many/+", 1)
	if err != nil {
		return err
	}
	writer, err := t.Join(ctx, room, 0)
	if err != nil {
		return err
	}
	defer writer.Close()
	g := explosion{first: t.Log.Len()}
	t.Step("publish to %d topics", manyTopics)
	for n := range manyTopics {
		topic := room.Topic(fmt.Sprintf("many/%d", n))
		ack, err := writer.Publish(ctx, mqtt.Packet{Topic: topic, QoS: 1, Payload: []byte("one of many")})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			g.ended = fmt.Sprintf("after %d topics: %v", n, err)
			g.silent = writer.Ended() == nil
			break
		}
		if ack.Code >= 0x80 {
			g.refused++
		} else {
			g.acked++
		}
	}
	_, _ = reader.AwaitMessages(ctx, 10*time.Second, g.acked) // what is missing is counted below
	seen := map[string]bool{}
	for _, m := range reader.Messages() {
		seen[m.Topic] = true
	}
	g.arrived = len(seen)
	g.others = testbed.Echo(ctx, reader, room.Topic("other"))
	g.last = t.Log.Len() - 1
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if g.acked == 0 {
		return check.NotRun("see that the first identity under clients: may publish to its topics", "no message was acknowledged: %d refused %s", g.refused, g.ended)
	}
	t.Record("%d acknowledged, %d refused, %d arrived %s", g.acked, g.refused, g.arrived, g.ended)
	t.Find(judgeExplosion(g)...)
	return nil
}

func judgeExplosion(g explosion) []check.Finding {
	var found []check.Finding
	evidence := check.Range(g.first, g.last, "a message to each of many topics")
	if g.arrived < g.acked {
		found = append(found, check.Finding{
			Title: "Acknowledges messages to many topics, and loses some", Evidence: evidence,
			Seen: fmt.Sprintf("%d of %d acknowledged messages arrived", g.arrived, g.acked),
		})
	}
	if g.silent {
		found = append(found, check.Finding{Title: "Neither takes nor refuses messages to many topics", Evidence: evidence, Seen: g.ended})
	}
	if g.others != nil {
		found = append(found, check.Finding{
			Severity: check.Blocker, Title: "Stops serving another client after messages to many topics", Evidence: evidence, Seen: g.others.Error(),
		})
	}
	return found
}
