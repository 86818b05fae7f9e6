package scenario

import (
	"context"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// messages5 are the scenarios of 5.0 about what messages carry and who gets them.
var messages5 = []Scenario{
	{"unsubscribe", unsubscribe},
	{"user properties", userProperties},
	{"payload format", payloadFormat},
	{"publication expiry", publicationExpiry},
	{"subscribe options", subscribeOptions},
	{"subscribe identifiers", subscribeIdentifiers},
	{"request response", requestResponse},
	{"shared subscriptions", sharedSubscriptions},
}

func unsubscribe(ctx context.Context, s *Stage) error {
	a, b, err := s.pair(ctx)
	if err != nil {
		return err
	}
	topics := []string{s.topic("TopicA"), s.topic("TopicA/B"), s.topic("Topic/C")}
	for _, topic := range topics {
		if err := subscribe(ctx, b, mqtt.Subscription{Filter: topic, QoS: 2}); err != nil {
			return err
		}
	}
	if err := b.Unsubscribe(ctx, topics[0]); err != nil {
		return broke("UNSUBSCRIBE was not answered: %v", err)
	}
	for _, topic := range topics {
		if err := publish(ctx, a, mqtt.Packet{Topic: topic, QoS: 1}); err != nil {
			return err
		}
	}
	if got := gather(ctx, b, 2); len(got) != 2 || got[0].Topic == topics[0] {
		return broke("%d messages came for the two subscriptions that are left", len(got))
	}
	return nil
}

// sameUser compares user properties, whose order must be kept [MQTT-3.3.2-18].
func sameUser(want mqtt.Properties, p *mqtt.Packet) error {
	got := slices.DeleteFunc(slices.Clone(p.Props), func(q mqtt.Property) bool { return q.ID != mqtt.UserProperty })
	same := slices.EqualFunc(got, want, func(x, y mqtt.Property) bool { return x.Text == y.Text && x.Value == y.Value })
	if !same {
		return broke("user properties %v were sent and %v came [MQTT-3.3.2-18]", want, got)
	}
	return nil
}

func userProperties(ctx context.Context, s *Stage) error {
	m := mqtt.Packet{Props: mqtt.Properties{{ID: mqtt.UserProperty, Text: "a", Value: "2"}, {ID: mqtt.UserProperty, Text: "c", Value: "3"}}}
	return s.carries(ctx, m, func(p *mqtt.Packet) error { return sameUser(m.Props, p) })
}

func payloadFormat(ctx context.Context, s *Stage) error {
	m := mqtt.Packet{Props: mqtt.Properties{{ID: mqtt.PayloadFormat, Int: 1}, {ID: mqtt.ContentType, Text: "My name"}}}
	return s.carries(ctx, m, func(p *mqtt.Packet) error {
		if kind, _ := p.Props.Text(mqtt.ContentType); p.Props.Int(mqtt.PayloadFormat, 0) != 1 || kind != "My name" {
			return broke("payload format indicator or content type came changed: %s [MQTT-3.3.2-4] [MQTT-3.3.2-20]", p)
		}
		return nil
	})
}

// carries sends m with each QoS and looks at what comes.
func (s *Stage) carries(ctx context.Context, m mqtt.Packet, judge func(*mqtt.Packet) error) error {
	a, _, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2}); err != nil {
		return err
	}
	if err := qoss(ctx, a, m, s.topic("TopicA")); err != nil {
		return err
	}
	got := gather(ctx, a, 3)
	if quality(got) != "0 1 2" {
		return broke("of one message of each QoS came those of QoS %q", quality(got))
	}
	for _, g := range got {
		if err := judge(g.Packet); err != nil {
			return err
		}
	}
	return nil
}

func publicationExpiry(ctx context.Context, s *Stage) error {
	b, ack, err := s.join(ctx, 1, with(mqtt.Property{ID: mqtt.SessionExpiry, Int: 300}))
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.SessionExpiry, 300) < 10 {
		return lacks("sessions that outlive their connection")
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2}); err != nil {
		return err
	}
	b.Disconnect(0)
	a, _, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	for _, seconds := range []uint32{1, 30} {
		for _, q := range []byte{1, 2} {
			m := mqtt.Packet{Topic: s.topic("TopicA"), QoS: q, Props: mqtt.Properties{{ID: mqtt.MessageExpiry, Int: seconds}}}
			if err := publish(ctx, a, m); err != nil {
				return err
			}
		}
	}
	if err := s.Clock.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	if b, _, err = s.join(ctx, 1, keepSession); err != nil {
		return err
	}
	got := gather(ctx, b, 2)
	if len(got) != 2 {
		return broke("%d messages came 3 s after two with an expiry of 1 s and two of 30 s [MQTT-3.3.2-5]", len(got))
	}
	for _, g := range got {
		if left := g.Props.Int(mqtt.MessageExpiry, 0); left == 0 || left > 28 {
			return broke("a message that waited 3 s of its 30 s came with an expiry of %d s [MQTT-3.3.2-6]", left)
		}
	}
	return nil
}

func subscribeOptions(ctx context.Context, s *Stage) error {
	a, b, err := s.pair(ctx)
	if err != nil {
		return err
	}
	topic := s.topic("TopicA")
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: topic, QoS: 2, NoLocal: true}); err != nil {
		return err
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: topic, QoS: 2, NoLocal: true, RetainAsPublished: true}); err != nil {
		return err
	}
	for _, retain := range []bool{false, true} {
		if err := publish(ctx, a, mqtt.Packet{Topic: topic, QoS: 1, Retain: retain, Payload: []byte("x")}); err != nil {
			return err
		}
	}
	if got := gather(ctx, a, 0); len(got) > 0 {
		return broke("a client with no local got its own message [MQTT-3.8.3-3]")
	}
	if got := gather(ctx, b, 2); len(got) != 2 || got[0].Retain || !got[1].Retain {
		return broke("retain as published: of a message without and one with RETAIN came %d, or RETAIN was changed", len(got))
	}
	for _, c := range []struct {
		handling byte
		want     int // retained messages
	}{{2, 0}, {1, 0}, {0, 1}, {0, 1}} { // 1 asks for none here, as the subscription is there already
		before := len(b.Messages())
		if err := subscribe(ctx, b, mqtt.Subscription{Filter: topic, QoS: 2, RetainHandling: c.handling}); err != nil {
			return err
		}
		if got := len(gather(ctx, b, before+c.want)) - before; got != c.want {
			return broke("retain handling %d of a subscription that is there already: %d retained messages came, %d is right", c.handling, got, c.want)
		}
	}
	return publish(ctx, a, mqtt.Packet{Topic: topic, QoS: 1, Retain: true})
}

func subscribeIdentifiers(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.SubIDAvailable, 1) == 0 {
		return lacks("subscription identifiers")
	}
	for filter, id := range map[string]uint32{"TopicA": 456789, "+": 2} {
		if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic(filter), QoS: 2}, mqtt.Property{ID: mqtt.SubscriptionIdentifier, Int: id}); err != nil {
			return err
		}
	}
	if err := publish(ctx, a, mqtt.Packet{Topic: s.topic("TopicA"), QoS: 1}); err != nil {
		return err
	}
	var ids []uint32
	for _, g := range gather(ctx, a, 1) {
		for _, p := range g.Props {
			if p.ID == mqtt.SubscriptionIdentifier {
				ids = append(ids, p.Int)
			}
		}
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []uint32{2, 456789}) {
		return broke("a message for the subscriptions 2 and 456789 came with identifiers %v [MQTT-3.3.4-3]", ids)
	}
	return nil
}

func requestResponse(ctx context.Context, s *Stage) error {
	a, b, err := s.pair(ctx)
	if err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2, NoLocal: true}); err != nil {
		return err
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2, NoLocal: true}); err != nil {
		return err
	}
	m := mqtt.Packet{Topic: s.topic("TopicA"), QoS: 1, Payload: []byte("request"), Props: mqtt.Properties{
		{ID: mqtt.ResponseTopic, Text: s.topic("TopicA")}, {ID: mqtt.CorrelationData, Data: []byte("334")},
	}}
	if err := publish(ctx, a, m); err != nil {
		return err
	}
	got := gather(ctx, b, 1)
	if len(got) != 1 {
		return broke("%d messages came for one request", len(got))
	}
	topic, _ := got[0].Props.Text(mqtt.ResponseTopic)
	i := slices.IndexFunc(got[0].Props, func(p mqtt.Property) bool { return p.ID == mqtt.CorrelationData })
	if topic != m.Topic || i < 0 || string(got[0].Props[i].Data) != "334" {
		return broke("response topic or correlation data came changed: %s [MQTT-3.3.2-15] [MQTT-3.3.2-16]", got[0].Packet)
	}
	return nil
}

func sharedSubscriptions(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.SharedAvailable, 1) == 0 {
		return lacks("shared subscriptions")
	}
	filter := "$share/shakedown/" + s.topic("TopicA")
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: filter, QoS: 2}); err != nil {
		return err
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: filter, QoS: 2}); err != nil {
		return err
	}
	const n = 10
	for range n {
		if err := publish(ctx, a, mqtt.Packet{Topic: s.topic("TopicA"), QoS: 1}); err != nil {
			return err
		}
	}
	_ = b.Quiet(ctx, time.Second)
	if got := len(gather(ctx, a, 0)) + len(b.Messages()); got != n {
		return broke("%d of %d messages came to the two members of a shared subscription together", got, n)
	}
	return nil
}
