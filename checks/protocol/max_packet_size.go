package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// MaxPacketSize announces a maximum packet size below the device's largest message.
var MaxPacketSize = &check.Check{
	ID:    "protocol.max-packet-size",
	Title: "Sends no packet larger than the broker takes",
	Why: "A broker closes the connection over a packet above its maximum. " +
		"A device that sends it again after the reconnect is in a loop, and nothing else gets through.",
	Pass: "no packet above the Maximum Packet Size of CONNACK, which is 1,024 bytes, or a byte less than its largest message where that is smaller; " +
		"looked on for as long as the largest message took to come",
	Fix:          "compare each packet with the Maximum Packet Size of CONNACK before sending it; split or drop the message, and report it",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"mqtt.payload.max-packet-v5"},
	Sources:      []string{"MQTT-3.2.2-15 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      time.Minute,
	Limit:        30 * time.Minute,
	Run:          maxPacketSize,
}

func maxPacketSize(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("see how large its messages are")
	if err := chatter(ctx, t, s); err != nil {
		return err
	}
	largest, other := sizes(t.Log.Since(s.Mark))
	limit := min(1024, largest-1)
	if limit < other {
		return check.NotApplicable("its largest message has %d bytes, and other packets that it must send have %d: there is nothing to leave out", largest, other)
	}
	t.Step("announce a maximum packet size of %d bytes", limit)
	heal := t.Impair(announce(t, func(o *broker.Options) { o.MaximumPacketSize = uint32(limit) }))
	mark := t.Log.Len()
	if s, err = renew(ctx, t, s); err != nil {
		return err
	}
	if err := chatter(ctx, t, s); err != nil {
		return err
	}
	t.Find(judgeSizes(t.Log.Since(mark), limit)...)
	heal()
	if s, err = renew(ctx, t, s); err != nil {
		return err
	}
	mark = t.Log.Len()
	p, err := t.Device.Probe(ctx, s, mark, t.Device.Cap()+30*time.Second)
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "a maximum packet size in CONNACK")...)
	return nil
}

// announce changes what the broker announces to new connections, until undone.
func announce(t *check.T, change func(*broker.Options)) (undo func()) {
	var before broker.Capabilities
	t.Broker.Set(func(o *broker.Options) {
		before = o.Capabilities
		change(o)
	})
	return func() { t.Broker.Set(func(o *broker.Options) { o.Capabilities = before }) }
}

// chatter has the device publish: three commands, if one is declared, and twice the usual pause between its measurements, or 15 s.
func chatter(ctx context.Context, t *check.T, s *testbed.Session) error {
	if t.Device.Has("command") {
		for range 3 {
			if err := s.Send(t.Device.Command()); err != nil {
				break // a connection that the device's packets have ended is judged by them
			}
		}
	}
	wait := 15 * time.Second
	if every := time.Duration(t.Product.Declared.TelemetryGap); every > 0 {
		wait = min(2*every, time.Minute)
	}
	return t.Clock.Sleep(ctx, wait)
}

// sizes are those of the largest PUBLISH and of the largest other packet behind CONNECT, in bytes.
func sizes(events []evidence.Event) (largest, other int) {
	for _, e := range events {
		p, ok := e.Data.(*mqtt.Packet)
		switch {
		case !ok || e.Kind != evidence.In || p.Type == mqtt.CONNECT:
		case p.Type == mqtt.PUBLISH:
			largest = max(largest, e.Size)
		default:
			other = max(other, e.Size)
		}
	}
	return largest, other
}

func judgeSizes(events []evidence.Event, limit int) []check.Finding {
	for _, e := range events {
		p, ok := e.Data.(*mqtt.Packet)
		if !ok || e.Kind != evidence.In || p.Type == mqtt.CONNECT || e.Size <= limit {
			continue
		}
		return []check.Finding{{
			Title:    "Sends packets larger than the broker takes",
			Expected: fmt.Sprintf("no packet above %d bytes, the Maximum Packet Size in CONNACK [MQTT-3.2.2-15]", limit),
			Seen:     fmt.Sprintf("%s has %d bytes", p, e.Size),
			Evidence: check.Range(e.N, e.N, "the packet"),
		}}
	}
	return nil
}
