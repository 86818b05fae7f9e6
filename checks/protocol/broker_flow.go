package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerFlow has more messages in flight than the broker takes.
var BrokerFlow = &check.Check{
	ID:    "protocol.broker-flow",
	Title: "Cuts off a client that exceeds its receive maximum",
	Why: "The receive maximum is what keeps one device from filling the broker's memory. " +
		"A broker that does not insist on it has no limit.",
	Pass:         "more QoS 2 messages without PUBREL than the announced receive maximum end the connection within 10 s, with DISCONNECT 0x93 and no other code",
	Fix:          "count QoS 1 and 2 messages from PUBLISH to the acknowledgement that ends them",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"broker.flow"},
	Sources:      []string{"MQTT-3.3.4-7", "MQTT 5.0 section 3.3.4: DISCONNECT 0x93", "paho.mqtt.testing: flow control"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Observes,
	Typical:      3 * time.Second,
	Limit:        time.Minute,
	Run:          brokerFlow,
}

// triable is the largest receive maximum that is tried.
const triable = 2000

// flooded is what became of a client that sent more than was announced.
type flooded struct {
	limit, sent int
	closed      bool
	code        byte // of DISCONNECT; 0: none came
	refused     byte // code of a PUBREC that refuses what is too much; 0: none came
	first, last int
}

func brokerFlow(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	c, err := room.Dial(ctx, 0)
	if err != nil {
		return err
	}
	ack, err := c.Connect(ctx)
	if err != nil {
		return check.Refuses(err)
	}
	f := flooded{limit: int(ack.Props.Int(mqtt.ReceiveMaximum, 65535)), first: t.Log.Len()}
	if f.limit > triable {
		return check.NotApplicable("the receive maximum is %d: as many packet ids as a client has, or nearly", f.limit)
	}
	t.Step("send %d QoS 2 messages without PUBREL; the receive maximum is %d", f.limit+1, f.limit)
	c.Hold()
	for range f.limit + 1 {
		if c.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: room.Topic("flood"), QoS: 2, ID: c.NextID()}) != nil {
			break
		}
		f.sent++
	}
	_, err = c.AwaitClose(ctx, 10*time.Second)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.closed = err == nil
	for _, p := range c.Packets() {
		switch {
		case p.Type == mqtt.DISCONNECT:
			f.code = p.Code
		case p.Type == mqtt.PUBREC && p.Code >= 0x80:
			f.refused = p.Code
		}
	}
	f.last = t.Log.Len() - 1
	t.Find(judgeFlooded(f)...)
	return nil
}

func judgeFlooded(f flooded) []check.Finding {
	found := check.Finding{Evidence: check.Range(f.first, f.last, "the messages and the end of the connection")}
	switch {
	case !f.closed && f.refused != 0:
		found.Title, found.Severity = "Refuses what exceeds its receive maximum, and does not cut off", check.Info
		found.Seen = fmt.Sprintf("PUBREC with 0x%02X came; the standard wants DISCONNECT with 0x93", f.refused)
	case !f.closed:
		found.Title = "Takes more messages in flight than its receive maximum"
		found.Seen = fmt.Sprintf("%d QoS 2 messages without PUBREL were taken, %d are announced", f.sent, f.limit)
	case f.code != 0x93:
		found.Title, found.Severity = "Does not say that its receive maximum was exceeded", check.Info
		found.Seen = fmt.Sprintf("the connection was closed with DISCONNECT code 0x%02X", f.code)
		if f.code == 0 {
			found.Seen = "the connection was closed without DISCONNECT"
		}
	default:
		return nil
	}
	return []check.Finding{found}
}
