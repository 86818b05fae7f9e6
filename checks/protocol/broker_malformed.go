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

// BrokerMalformed sends what no client may send, and sees that nobody else suffers.
var BrokerMalformed = &check.Check{
	ID:    "protocol.broker-malformed",
	Title: "Closes the connection of a client that sends malformed packets, and serves the others",
	Why: "Sooner or later a device with a broken update, or an attacker, sends malformed packets. " +
		"A broker that delivers them breaks healthy devices; one that stumbles over them takes the fleet offline.",
	Pass:         "after each packet of 16 malformed families the connection is closed within 5 s, nothing of it is delivered, and another client is served all the same",
	Fix:          "decode strictly, end only the connection that the packet came on, and update the broker",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"broker.malformed"},
	Sources:      []string{"MQTT-4.8.0-1 (3.1.1), MQTT-4.13.1-1 (5.0)", "eclipse/iottestware.mqtt: broker test purposes", "nanomq/nanomq#2342"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        10 * time.Minute,
	Run:          brokerMalformed,
}

// aftermath is what a malformed packet did.
type aftermath struct {
	family      string
	what        string
	tolerable   bool // it may be ignored
	harmless    bool // a delivery does no harm
	within      time.Duration
	took        time.Duration // until the connection was closed; 0: it was not
	answers     bool          // it was not closed, and a ping is answered
	delivered   bool          // to another client
	others      error         // nil: another client is served
	first, last int
}

func brokerMalformed(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	other, err := bystander(ctx, t, room)
	if err != nil {
		return err
	}
	for _, s := range shots(room) {
		a, err := shoot(ctx, t, room, other, s)
		if err != nil {
			return err
		}
		t.Find(judgeAftermath(a)...)
		if a.others == nil {
			continue
		}
		if other, err = bystander(ctx, t, room); err != nil { // it was hurt: find out whether the cloud is back
			t.Find(check.Finding{Title: "Does not recover from " + a.what, Seen: err.Error(), Evidence: check.Range(a.first, t.Log.Len()-1, a.what)})
			return nil
		}
	}
	return nil
}

// bystander is a client that reads everything of the room and must not be hurt.
func bystander(ctx context.Context, t *check.T, room testbed.Room) (*client.Conn, error) {
	other, err := t.Join(ctx, room, 1)
	if err != nil {
		return nil, err
	}
	return other, check.Subscribed(ctx, other, mqtt.Subscription{Filter: room.Topic("#"), QoS: 1})
}

// shoot sends one malformed packet on a connection of its own.
func shoot(ctx context.Context, t *check.T, room testbed.Room, other *client.Conn, s shot) (aftermath, error) {
	a := aftermath{family: s.family, what: s.what, tolerable: s.tolerable, harmless: s.harmless, within: 5 * time.Second, first: t.Log.Len()}
	c, err := t.Join(ctx, room, 0, func(o *client.Options) {
		if s.stalls {
			o.KeepAlive = 4
		}
	})
	if err != nil {
		return a, err
	}
	t.Step("send %s (%s)", s.what, s.family)
	before := len(other.Messages())
	start := t.Clock.Now()
	if err := c.SendRaw(s.what, s.raw); err != nil {
		return a, err
	}
	if s.stalls {
		c.Silence()
		a.within = 20 * time.Second // five times the keep-alive, as a broker may look every few seconds only; protocol.broker-keepalive is exact
	}
	end, err := c.AwaitClose(ctx, a.within)
	if err == nil {
		a.took = max(end.At.Sub(start), time.Millisecond)
	} else if !s.stalls {
		a.answers = c.Ping(ctx, 5*time.Second) == nil
	}
	c.Close()
	a.others = testbed.Echo(ctx, other, room.Topic("echo"))
	for _, m := range other.Messages()[before:] {
		a.delivered = a.delivered || string(m.Payload) == badPayload
	}
	a.last = t.Log.Len() - 1
	return a, ctx.Err()
}

func judgeAftermath(a aftermath) []check.Finding {
	var found []check.Finding
	find := func(s check.Severity, title, seen string) {
		found = append(found, check.Finding{Severity: s, Title: title, Seen: seen, Evidence: check.Range(a.first, a.last, a.what+", family "+a.family)})
	}
	if a.others != nil {
		find(check.Blocker, "Stops serving another client after "+a.what, a.others.Error())
	}
	if a.delivered {
		severity := check.Major
		if a.harmless {
			severity = check.Minor
		}
		find(severity, "Delivers "+a.what+" to another client", "its payload came to a subscriber")
	}
	switch {
	case a.took > 0 || a.delivered:
	case !a.answers:
		find(check.Blocker, "Is deaf after "+a.what, fmt.Sprintf("the connection was neither closed nor answered within %.0f s", a.within.Seconds()))
	case !a.tolerable:
		find(check.Minor, "Ignores "+a.what, fmt.Sprintf("the connection was still served after %.0f s, and nothing was delivered", a.within.Seconds()))
	}
	return found
}
