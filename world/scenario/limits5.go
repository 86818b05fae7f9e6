package scenario

import (
	"bytes"
	"context"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// limits5 are the scenarios of 5.0 about what the two sides tell each other that they take.
var limits5 = []Scenario{
	{"client topic alias", clientTopicAlias},
	{"server topic alias", serverTopicAlias},
	{"maximum packet size", maximumPacketSize},
	{"flow control of the client", flowOfClient},
	{"flow control of the server", flowOfServer},
}

func clientTopicAlias(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.TopicAliasMaximum, 0) == 0 {
		return lacks("topic aliases")
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2}); err != nil {
		return err
	}
	for _, topic := range []string{s.topic("TopicA"), ""} {
		m := mqtt.Packet{Topic: topic, QoS: 1, Props: mqtt.Properties{{ID: mqtt.TopicAlias, Int: 1}}}
		if err := publish(ctx, a, m); err != nil {
			return err
		}
	}
	if got := gather(ctx, a, 2); len(got) != 2 || got[1].Topic != s.topic("TopicA") {
		return broke("of two messages, the second with a topic alias alone, %d came to the topic", len(got))
	}
	return nil
}

func serverTopicAlias(ctx context.Context, s *Stage) error {
	const most = 1
	a, _, err := s.join(ctx, 0, with(mqtt.Property{ID: mqtt.TopicAliasMaximum, Int: most}))
	if err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("#"), QoS: 2}); err != nil {
		return err
	}
	names := []string{"TopicA", "TopicA/B", "TopicA", "TopicA/B"}
	for _, name := range names {
		if err := publish(ctx, a, mqtt.Packet{Topic: s.topic(name), QoS: 1}); err != nil {
			return err
		}
	}
	got, used := gather(ctx, a, len(names)), false
	for i, g := range got {
		if alias := g.Props.Int(mqtt.TopicAlias, 0); alias > most {
			return broke("topic alias %d was used, the client takes up to %d [MQTT-3.1.2-26]", alias, most)
		} else if alias > 0 {
			used = true
		}
		if i < len(names) && g.Topic != s.topic(names[i]) {
			return broke("message %d came to %q, and was sent to %q", i+1, g.Topic, s.topic(names[i]))
		}
	}
	if len(got) != len(names) {
		return broke("%d of %d messages came", len(got), len(names))
	}
	if !used {
		return lacks("topic aliases of the server")
	}
	return nil
}

func maximumPacketSize(ctx context.Context, s *Stage) error {
	const most = 128
	a, ack, err := s.join(ctx, 0, with(mqtt.Property{ID: mqtt.MaximumPacketSize, Int: most}))
	if err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("A"), QoS: 1}); err != nil {
		return err
	}
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	for _, size := range []int{2 * most, 1} {
		if err := publish(ctx, b, mqtt.Packet{Topic: s.topic("A"), QoS: 1, Payload: bytes.Repeat([]byte("."), size)}); err != nil {
			return err
		}
	}
	if got := gather(ctx, a, 1); len(got) != 1 || len(got[0].Payload) != 1 {
		return broke("a client that takes packets of up to %d bytes got %d of a large and a small message; the small one is right [MQTT-3.1.2-24]", most, len(got))
	}
	limit := ack.Props.Int(mqtt.MaximumPacketSize, 0)
	if limit == 0 || limit > 2<<20 {
		return nil // the broker names no limit that can be tried
	}
	if err := b.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: s.topic("A"), Payload: make([]byte, limit)}); err == nil {
		if _, err := b.AwaitClose(ctx, answerWithin); err != nil {
			return broke("a packet above the announced maximum of %d bytes is taken [MQTT-3.2.2-15]", limit)
		}
	}
	return nil
}

func flowOfClient(ctx context.Context, s *Stage) error {
	const window, n = 2, 6
	a, _, err := s.join(ctx, 0, with(mqtt.Property{ID: mqtt.ReceiveMaximum, Int: window}))
	if err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2}); err != nil {
		return err
	}
	a.Hold()
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	for range n {
		if err := publish(ctx, b, mqtt.Packet{Topic: s.topic("TopicA"), QoS: 1}); err != nil {
			return err
		}
	}
	held := gather(ctx, a, window)
	if len(held) != window {
		return broke("%d messages came unacknowledged to a client with a receive maximum of %d [MQTT-3.3.4-9]", len(held), window)
	}
	a.Resume()
	for _, h := range held {
		if err := a.Send(&mqtt.Packet{Type: mqtt.PUBACK, ID: h.ID}); err != nil {
			return err
		}
	}
	if got := gather(ctx, a, n); len(got) != n {
		return broke("%d of %d messages came in all to a client with a receive maximum of %d", len(got), n, window)
	}
	return nil
}

func flowOfServer(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	limit := ack.Props.Int(mqtt.ReceiveMaximum, 65535)
	if limit > 1000 {
		return lacks("a receive maximum that can be tried; it is %d", limit)
	}
	a.Hold() // stops QoS 2 messages at PUBREC
	for range limit + 5 {
		if a.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: s.topic("TopicA"), QoS: 2, ID: a.NextID()}) != nil {
			break
		}
	}
	_, err = a.Await(ctx, answerWithin, func(p *mqtt.Packet) bool { // refused one by one, or cut off
		return p.Type == mqtt.DISCONNECT || p.Type == mqtt.PUBREC && p.Code >= 0x80
	})
	if err != nil && a.Ended() == nil {
		return broke("%d messages in flight are taken, the announced receive maximum is %d [MQTT-3.3.4-7]", limit+5, limit)
	}
	for _, p := range a.Packets() {
		if p.Type == mqtt.DISCONNECT && p.Code != 0x93 {
			return broke("more messages in flight than the receive maximum end with %s, 0x93 is right", p.Packet)
		}
	}
	return nil
}
