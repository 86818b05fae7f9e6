package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerFirstPacket opens connections on which no CONNECT comes.
var BrokerFirstPacket = &check.Check{
	ID:    "protocol.broker-first-packet",
	Title: "Closes connections on which no CONNECT comes",
	Why: "Every port scanner opens connections and says nothing. " +
		"A broker that keeps them runs out of connections, and then devices cannot get in.",
	Pass:         "a connection is closed within 5 s of a first packet that is no CONNECT, and within 60 s when nothing comes",
	Fix:          "set a limit for the time between TCP accept and CONNECT",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"broker.first-packet"},
	Sources:      []string{"MQTT-3.1.0-1", "MQTT 3.1.1 and 5.0 section 3.1.4: a reasonable time; the 60 s are ours"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      45 * time.Second,
	Limit:        5 * time.Minute,
	Run:          brokerFirstPacket,
}

const (
	firstWithin   = 5 * time.Second
	silenceWithin = 60 * time.Second
)

// nobody is a connection without CONNECT.
type nobody struct {
	sent        string // "" for nothing
	limit       time.Duration
	took        time.Duration // until it was closed; 0: it was not
	watched     time.Duration
	first, last int
}

func brokerFirstPacket(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		what  string
		send  *mqtt.Packet
		limit time.Duration
	}{
		{"a PINGREQ", &mqtt.Packet{Type: mqtt.PINGREQ}, firstWithin},
		{"a PUBLISH", &mqtt.Packet{Type: mqtt.PUBLISH, Topic: room.Topic("early")}, firstWithin},
		{"", nil, silenceWithin},
	} {
		n := nobody{sent: c.what, limit: c.limit, watched: 2 * c.limit, first: t.Log.Len()}
		t.Step("connect and send %s", n.what())
		conn, err := room.Dial(ctx, 0)
		if err != nil {
			return err
		}
		start := t.Clock.Now()
		if c.send != nil {
			if err := conn.Send(c.send); err != nil {
				return err
			}
		}
		if end, err := conn.AwaitClose(ctx, n.watched); err == nil {
			n.took = max(end.At.Sub(start), time.Millisecond)
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
		conn.Close()
		n.last = t.Log.Len() - 1
		t.MeasureTime("connection closed after "+n.what(), n.took, fmt.Sprintf("<= %.0f s", n.limit.Seconds()))
		t.Find(judgeFirstPacket(n)...)
	}
	return nil
}

func (n nobody) what() string {
	if n.sent == "" {
		return "nothing"
	}
	return n.sent
}

func judgeFirstPacket(n nobody) []check.Finding {
	if n.took > 0 && n.took <= n.limit {
		return nil
	}
	f := check.Finding{
		Title:    "Keeps a connection that starts with " + n.what(),
		Expected: fmt.Sprintf("it is closed within %.0f s", n.limit.Seconds()),
		Seen:     fmt.Sprintf("it was still open after %.0f s", n.watched.Seconds()),
		Evidence: check.Range(n.first, n.last, "the connection without CONNECT"),
	}
	if n.took > 0 {
		f.Severity = check.Minor
		f.Title = "Is slow to close a connection that starts with " + n.what()
		f.Seen = fmt.Sprintf("it was closed after %.1f s", n.took.Seconds())
	}
	return []check.Finding{f}
}
