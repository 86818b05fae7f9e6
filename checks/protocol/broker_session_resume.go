package protocol

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerSessionResume goes away, has messages sent to it, and comes back.
var BrokerSessionResume = &check.Check{
	ID:    "protocol.broker-session-resume",
	Title: "Keeps messages for a client that is away, in order",
	Why: "Commands that are sent while a device is away must reach it when it is back. " +
		"Lost ones leave it in the wrong state, and so do ones in another order: off before on.",
	Pass:         "all of 10 QoS 1 and 10 QoS 2 messages that were sent while the client was away come within 10 s of its return, none twice, each sort in order",
	Fix:          "keep the session with its queue, and send from it in order before anything newer",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-1"},
	Incidents:    []string{"INC-108"},
	Rows:         []string{"broker.session.resume"},
	Sources:      []string{"MQTT-3.1.2-4, MQTT-4.6.0-6", "paho.mqtt.testing: offline message queueing"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        2 * time.Minute,
	Run:          brokerSessionResume,
}

const stored = 10 // messages of each QoS

// resumed is what a client finds when it comes back.
type resumed struct {
	present     bool
	came        map[byte][]int // numbers of the messages by QoS, as they came
	first, last int
}

func brokerSessionResume(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	reader, err := t.Join(ctx, room, 0, keepsSession)
	if err != nil {
		return err
	}
	if err := check.Subscribed(ctx, reader, mqtt.Subscription{Filter: room.Topic("+/away"), QoS: 2}); err != nil {
		return err
	}
	reader.Close()
	writer, err := t.Join(ctx, room, 1)
	if err != nil {
		return err
	}
	t.Step("publish %d messages of QoS 1 and of QoS 2 while the client is away", stored)
	r := resumed{came: map[byte][]int{}, first: t.Log.Len()}
	for n := range stored {
		for _, q := range []byte{1, 2} {
			m := mqtt.Packet{Topic: room.Topic(fmt.Sprintf("%d/away", q)), QoS: q, Payload: []byte(strconv.Itoa(n))}
			if _, err := writer.Publish(ctx, m); err != nil {
				return check.Refuses(err)
			}
		}
	}
	t.Step("come back")
	back, err := room.Dial(ctx, 0, keepsSession)
	if err != nil {
		return err
	}
	ack, err := back.Connect(ctx)
	if err != nil {
		return check.Refuses(err)
	}
	r.present = ack.SessionPresent
	_, _ = back.AwaitMessages(ctx, 10*time.Second, 2*stored)
	if err := back.Quiet(ctx, 2*time.Second); err != nil {
		return err
	}
	for _, m := range back.Messages() {
		if n, err := strconv.Atoi(string(m.Payload)); err == nil {
			r.came[m.QoS] = append(r.came[m.QoS], n)
		}
	}
	r.last = t.Log.Len() - 1
	t.Find(judgeResumed(r)...)
	return nil
}

// keepsSession asks for a session that outlives its connection.
func keepsSession(o *client.Options) {
	o.Clean = false
	if o.Version == mqtt.V5 {
		o.Props = mqtt.Properties{{ID: mqtt.SessionExpiry, Int: 300}}
	}
}

func judgeResumed(r resumed) []check.Finding {
	evidence := check.Range(r.first, r.last, "the messages and the return of the client")
	if !r.present {
		return []check.Finding{{
			Title: "Loses the session of a client that is away", Evidence: evidence,
			Seen: fmt.Sprintf("session present is 0 in CONNACK, and %d of %d messages came", len(r.came[1])+len(r.came[2]), 2*stored),
		}}
	}
	var found []check.Finding
	for _, q := range []byte{1, 2} {
		got := r.came[q]
		distinct := slices.Compact(slices.Sorted(slices.Values(got)))
		f := check.Finding{Evidence: evidence, Seen: fmt.Sprintf("messages 0 to %d were sent, and came as %v", stored-1, got)}
		switch {
		case len(distinct) < stored:
			f.Title = fmt.Sprintf("Loses QoS %d messages for a client that is away", q)
		case len(got) > len(distinct):
			f.Title, f.Severity = fmt.Sprintf("Sends stored QoS %d messages twice", q), check.Major
		case !slices.IsSorted(got):
			f.Title = fmt.Sprintf("Sends stored QoS %d messages in another order", q)
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}
