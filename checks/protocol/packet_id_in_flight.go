package protocol

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// PacketIdInFlight lets the device's messages pile up without acknowledgement.
var PacketIdInFlight = &check.Check{
	ID:    "protocol.packet-id-in-flight",
	Title: "Gives every message in flight a packet id of its own",
	Why: "Two messages under one id look like one message that was repeated. " +
		"The broker acknowledges one, the device believes both are safe, and one is gone; it shows only when acknowledgements are slow.",
	Pass:         "of the QoS 1 and 2 messages that the device sends within 20 s without any acknowledgement, at most 100, no two have the same packet id, and none has 0",
	Fix:          "take the next id that is not in flight, and skip 0 when the counter wraps",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"mqtt.pid.reuse-in-flight"},
	Sources:      []string{"MQTT-2.3.1-1, MQTT-2.3.1-2 (3.1.1)", "MQTT-2.2.1-3, MQTT-2.2.1-4 (5.0)", "eclipse/iottestware.mqtt: PUBLISH_009, PUBLISH_010"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        15 * time.Minute,
	Run:          packetIDInFlight,
}

const (
	inFlightWatch = 20 * time.Second
	inFlightMost  = 100
)

func packetIDInFlight(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if zero := judgeZeroID(t.Log.Since(0)); len(zero) > 0 {
		t.Find(zero...) // the broker ended the connection for it, so there is no more to see
		return nil
	}
	if err != nil {
		return err
	}
	t.Step("withhold every acknowledgement for 20 s")
	mark := t.Log.Len()
	asks := func(_ *broker.Conn, p *mqtt.Packet) bool { return p.QoS > 0 }
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.PUBLISH, Match: asks, Do: broker.Drop()}))
	if _, err := t.Publishes(ctx, s, mark); err != nil {
		return err
	}
	t.Evoke(s, 11) // one less than the dozen that is usual as the smallest receive maximum
	n := 0
	_, _, err = t.Device.AwaitPublication(ctx, s, mark, inFlightWatch, func(testbed.Publication) bool { n++; return n == inFlightMost })
	if err != nil {
		return err
	}
	events := t.Log.Since(mark)
	sent := onConnection(events, s.Conn.Number())
	t.Measure("messages in flight", float64(len(sent)), "", "")
	t.Find(judgeDistinctIDs(sent)...)
	t.Find(judgeZeroID(events)...)

	t.Link.Cut(false) // so that what was withheld comes again and is acknowledged
	heal()
	return nil
}

// onConnection are the publications on one connection.
func onConnection(events []evidence.Event, conn int) []testbed.Publication {
	var all []testbed.Publication
	for _, p := range testbed.Publications(events) {
		if p.Conn == conn {
			all = append(all, p)
		}
	}
	return all
}

// judgeDistinctIDs looks for an id that stands for two messages. A repetition says the same under the same id, and is another matter.
func judgeDistinctIDs(sent []testbed.Publication) []check.Finding {
	holder := map[uint16]testbed.Publication{}
	for _, p := range sent {
		before, taken := holder[p.ID]
		if !taken {
			holder[p.ID] = p
			continue
		}
		if before.Says(p) {
			continue
		}
		return []check.Finding{{
			Title:    "Uses a packet id again while it is in flight",
			Expected: "another packet id for every message that is not acknowledged",
			Seen:     fmt.Sprintf("packet id %d for a message on %s and then for another on %s, %d messages in", p.ID, before.Topic, p.Topic, len(holder)),
			Evidence: check.Range(before.N, p.N, "from the first message with that packet id to the second"),
		}}
	}
	return nil
}

// judgeZeroID looks for what the broker refused because its packet id was 0.
func judgeZeroID(events []evidence.Event) []check.Finding {
	for _, e := range events {
		if e.Kind != evidence.Bad || !(strings.Contains(e.Text, "MQTT-2.3.1-1") || strings.Contains(e.Text, "MQTT-2.2.1-3")) {
			continue
		}
		return []check.Finding{{
			Title:    "Uses packet id 0",
			Expected: "a packet id from 1 to 65535",
			Seen:     e.Text,
			Evidence: check.Range(e.N, e.N, "the packet"),
		}}
	}
	return nil
}
