package testbed

import (
	"context"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// AwaitPacket waits up to within (device time) for a packet from the device for which match holds, in the events from mark on. It
// reports false when the time is over. The error is that of ctx.
func (d *Device) AwaitPacket(ctx context.Context, mark int, within time.Duration, match func(evidence.Event, *mqtt.Packet) bool) (evidence.Event, bool, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		p, ok := e.Data.(*mqtt.Packet)
		return ok && e.Kind == evidence.In && match(e, p)
	})
	return e, err == nil, ctx.Err()
}

// AwaitFilters waits up to within (device time) until the client of session s has a subscription for each of filters, on whatever
// connection. It returns those that it has not, and how long it took. The error is that of ctx.
func (d *Device) AwaitFilters(ctx context.Context, s *Session, filters []string, within time.Duration) (missing []string, took time.Duration, err error) {
	b := d.bed
	deadline := s.Since.Add(within)
	for {
		mark := b.Log.Len()
		info, _ := b.Broker.Session(s.Conn.ClientID())
		missing = Missing(filters, info.Subscriptions)
		left := deadline.Sub(b.Clock.Now())
		if len(missing) == 0 || left <= 0 {
			return missing, b.Clock.Since(s.Since), ctx.Err()
		}
		// The event comes before the broker acts on it, so its answer is what to wait for.
		wait, cancel := b.Clock.Timeout(ctx, left)
		_, _ = b.Log.Await(wait, mark, func(e evidence.Event) bool {
			_, ok := broker.Sent(e, mqtt.SUBACK)
			return ok
		})
		cancel()
		if ctx.Err() != nil {
			return missing, b.Clock.Since(s.Since), ctx.Err()
		}
	}
}

// Missing are those of filters for which there is no subscription.
func Missing(filters []string, subs []mqtt.Subscription) []string {
	return slices.DeleteFunc(slices.Clone(filters), func(f string) bool {
		return slices.ContainsFunc(subs, func(s mqtt.Subscription) bool { return s.Filter == f })
	})
}

// Filters are the topic filters of subscriptions.
func Filters(subs []mqtt.Subscription) []string {
	var list []string
	for _, s := range subs {
		list = append(list, s.Filter)
	}
	return list
}

// Message is a message with QoS 1 that the device must acknowledge: a new command if one is declared, else a word of ours on a topic
// that it subscribed to. It reports false when no subscription with QoS 1 or 2 would take it.
func (d *Device) Message(s *Session) (broker.Message, bool) {
	if d.command != nil {
		c := d.Command()
		takes := slices.ContainsFunc(s.Conn.Subscriptions(), func(sub mqtt.Subscription) bool {
			return sub.QoS > 0 && mqtt.Match(sub.Filter, c.Topic)
		})
		return broker.Message{Topic: c.Topic, Payload: c.Payload, QoS: 1}, takes
	}
	topic, ok := ackable(s)
	return broker.Message{Topic: topic, Payload: []byte("probe"), QoS: 1}, ok
}
