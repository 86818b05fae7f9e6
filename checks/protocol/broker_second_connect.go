package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerSecondConnect sends CONNECT twice on one connection.
var BrokerSecondConnect = &check.Check{
	ID:    "protocol.broker-second-connect",
	Title: "Closes the connection at a second CONNECT",
	Why: "A second CONNECT on one connection is an error of the client or an attempt to become somebody else on it. " +
		"A broker that goes along can mix up two identities.",
	Pass:         "the connection is closed within 5 s of a second CONNECT, and no second CONNACK comes",
	Fix:          "treat every CONNECT after the first as a protocol error",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.second-connect"},
	Sources:      []string{"MQTT-3.1.0-2"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      3 * time.Second,
	Limit:        time.Minute,
	Run:          brokerSecondConnect,
}

func brokerSecondConnect(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	c, err := t.Join(ctx, room, 0)
	if err != nil {
		return err
	}
	t.Step("send CONNECT a second time")
	mark := t.Log.Len()
	if _, err := c.Connect(ctx); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	_, open := c.AwaitClose(ctx, 5*time.Second)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.Find(judgeSecondConnect(open == nil, c.Count(mqtt.CONNACK), mark, t.Log.Len()-1)...)
	return nil
}

func judgeSecondConnect(closed bool, connacks, first, last int) []check.Finding {
	if closed && connacks == 1 {
		return nil
	}
	f := check.Finding{Title: "Goes along with a second CONNECT", Evidence: check.Range(first, last, "from the second CONNECT")}
	f.Seen = fmt.Sprintf("%d CONNACK packets came, and the connection stayed open", connacks)
	if closed {
		f.Seen = fmt.Sprintf("%d CONNACK packets came before the connection was closed", connacks)
	}
	return []check.Finding{f}
}
