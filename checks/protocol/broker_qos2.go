package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerQoS2 repeats a QoS 2 message before it releases it.
var BrokerQoS2 = &check.Check{
	ID:    "protocol.broker-qos2",
	Title: "Delivers a repeated QoS 2 message exactly once",
	Why: "Devices repeat what was not acknowledged, above all on bad networks. " +
		"With QoS 2 the maker was promised that a command or a reading counts once.",
	Pass:         "a QoS 2 message that is sent on 6 connections of one session before PUBREL gets a PUBREC each time and is delivered exactly once, and the id can be used again after PUBCOMP",
	Fix:          "keep the packet id from PUBREC to PUBREL, and do not deliver again while it is kept",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.qos2"},
	Sources:      []string{"MQTT-4.4.0-1, MQTT-4.3.3-2 (3.1.1), MQTT-4.3.3-10 (5.0)", "eclipse/mosquitto#3602", "dotnet/MQTTnet#1540"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      4 * time.Second,
	Limit:        time.Minute,
	Run:          brokerQoS2,
}

const sentTimes = 6

// twice is what came of a message that was sent more than once.
type twice struct {
	recs        int  // PUBREC packets
	delivered   int  // to a subscriber
	completed   bool // PUBREL was answered
	again       int  // deliveries of a second message with the same id
	closed      string
	first, last int
}

func brokerQoS2(ctx context.Context, t *check.T) error {
	room, reader, err := t.Reader(ctx, "once", 2)
	if err != nil {
		return err
	}
	w := twice{first: t.Log.Len()}
	m := mqtt.Packet{Type: mqtt.PUBLISH, Topic: room.Topic("once"), QoS: 2, ID: 7, Payload: []byte("first")}
	t.Step("send a QoS 2 message on %d connections of one session, before PUBREL", sentTimes)
	var writer *client.Conn
	for range sentTimes { // a repetition is right on a new connection only [MQTT-4.4.0-1]
		if writer, err = t.Join(ctx, room, 0, keepsSession); err != nil {
			return err
		}
		writer.Hold() // PUBREL is sent below
		rec := func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBREC && p.ID == m.ID }
		if err := writer.Send(&m); err != nil {
			return check.Refuses(err)
		}
		if _, err := writer.Await(ctx, 5*time.Second, rec); err == nil {
			w.recs++
		}
		if end := writer.Ended(); end != nil {
			w.closed = end.By
			break
		}
		m.Dup = true
		if w.recs < sentTimes {
			writer.Close()
		}
	}
	_ = writer.Send(&mqtt.Packet{Type: mqtt.PUBREL, ID: m.ID}) // an end of the connection is seen below
	_, err = writer.Await(ctx, 10*time.Second, func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBCOMP && p.ID == m.ID })
	w.completed = err == nil
	if w.completed {
		m.Dup, m.Payload = false, []byte("second")
		_ = writer.Send(&m)
		_ = writer.Send(&mqtt.Packet{Type: mqtt.PUBREL, ID: m.ID})
	}
	_, _ = reader.AwaitMessages(ctx, 5*time.Second, 2)
	if err := reader.Quiet(ctx, time.Second); err != nil {
		return err
	}
	for _, got := range reader.Messages() {
		if string(got.Payload) == "first" {
			w.delivered++
		} else {
			w.again++
		}
	}
	w.last = t.Log.Len() - 1
	t.Find(judgeTwice(w)...)
	return nil
}

func judgeTwice(w twice) []check.Finding {
	f := check.Finding{Evidence: check.Range(w.first, w.last, "the message and its repetitions")}
	switch {
	case w.delivered > 1:
		f.Title = "Delivers a repeated QoS 2 message more than once"
		f.Seen = fmt.Sprintf("it was delivered %d times", w.delivered)
	case w.closed != "":
		f.Title = "Closes the connection of a client that repeats a QoS 2 message"
		f.Seen = "it was closed: " + w.closed
	case w.delivered == 0:
		f.Title = "Loses a QoS 2 message that is repeated"
		f.Seen = "it was not delivered"
	case w.recs < sentTimes:
		f.Title, f.Severity = "Does not answer every repetition of a QoS 2 message", check.Minor
		f.Seen = fmt.Sprintf("%d PUBREC came for %d PUBLISH", w.recs, sentTimes)
	case !w.completed:
		f.Title, f.Seen = "Does not complete a QoS 2 message", "no PUBCOMP came within 10 s of PUBREL"
	case w.again != 1:
		f.Title = "Does not free the packet id of a completed QoS 2 message"
		f.Seen = fmt.Sprintf("a second message with the id was delivered %d times", w.again)
	default:
		return nil
	}
	return []check.Finding{f}
}
