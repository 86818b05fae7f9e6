package scenario

import (
	"context"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// common are the scenarios of both versions.
var common = []Scenario{
	{"basic", basic},
	{"retained message", retained},
	{"will message", will},
	{"zero length client id", zeroLengthID},
	{"offline message queueing", offline},
	{"overlapping subscriptions", overlapping},
	{"keep alive", keepAlive},
	{"redelivery on reconnect", redelivery},
	{"subscribe failure", subscribeFailure},
	{"dollar topics", dollar},
}

func basic(ctx context.Context, s *Stage) error {
	a, _, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2}); err != nil {
		return err
	}
	if err := qoss(ctx, a, mqtt.Packet{}, s.topic("TopicA")); err != nil {
		return err
	}
	if got := gather(ctx, a, 3); quality(got) != "0 1 2" {
		return broke("of one message of each QoS came those of QoS %q", quality(got))
	}
	if _, err := a.Connect(ctx); err != nil {
		return err
	}
	if _, err := a.AwaitClose(ctx, answerWithin); err != nil {
		return broke("the connection stays open after a second CONNECT [MQTT-3.1.0-2]")
	}
	c, err := s.dial(ctx, 0)
	if err != nil {
		return err
	}
	hello := mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{Protocol: "hj", Level: s.Version, Clean: true, ClientID: c.ClientID()}}
	if err := c.Send(&hello); err != nil {
		return err
	}
	if _, err := c.AwaitClose(ctx, answerWithin); err != nil {
		return broke("the connection stays open after a CONNECT of protocol %q", hello.Connect.Protocol)
	}
	return nil
}

func retained(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.RetainAvailable, 1) == 0 {
		return lacks("retained messages")
	}
	m := mqtt.Packet{Retain: true}
	if s.Version == mqtt.V5 {
		m.Props = mqtt.Properties{{ID: mqtt.UserProperty, Text: "a", Value: "2"}, {ID: mqtt.UserProperty, Text: "c", Value: "3"}}
	}
	topics := []string{s.topic("TopicA/B"), s.topic("Topic/C"), s.topic("TopicA/C")}
	if err := qoss(ctx, a, m, topics...); err != nil {
		return err
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("+/+"), QoS: 2}); err != nil {
		return err
	}
	got := gather(ctx, a, 3)
	if quality(got) != "0 1 2" {
		return broke("of one retained message of each QoS came those of QoS %q", quality(got))
	}
	for _, g := range got {
		if !g.Retain {
			return broke("a retained message came without RETAIN for a new subscription: %s", g.Packet)
		}
		if err := sameUser(m.Props, g.Packet); err != nil {
			return err
		}
	}
	for _, topic := range topics {
		if err := publish(ctx, a, mqtt.Packet{Topic: topic, Retain: true, QoS: 1}); err != nil {
			return err
		}
	}
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: s.topic("+/+"), QoS: 2}); err != nil {
		return err
	}
	if got := gather(ctx, b, 0); len(got) > 0 {
		return broke("%d retained messages came after they were cleared: %s", len(got), got[0].Packet)
	}
	return nil
}

func will(ctx context.Context, s *Stage) error {
	a, _, err := s.join(ctx, 0, func(o *client.Options) {
		o.Will = &mqtt.Will{Topic: s.topic("Topic/C"), Payload: []byte("client not disconnected")}
	})
	if err != nil {
		return err
	}
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: s.topic("Topic/C"), QoS: 2}); err != nil {
		return err
	}
	a.Close()
	if got := gather(ctx, b, 1); len(got) != 1 {
		return broke("%d wills came after a client left without DISCONNECT, 1 is right [MQTT-3.1.2-8]", len(got))
	}
	return nil
}

func zeroLengthID(ctx context.Context, s *Stage) error {
	if s.Version == mqtt.V311 {
		c, err := s.dial(ctx, 0, func(o *client.Options) { o.ClientID, o.Clean = "", false })
		if err != nil {
			return err
		}
		if ack, err := c.Connect(ctx); err == nil && ack.Code == 0 {
			return broke("a client without id and without clean session is accepted [MQTT-3.1.3-8]")
		}
	}
	c, err := s.dial(ctx, 0, func(o *client.Options) { o.ClientID = "" })
	if err != nil {
		return err
	}
	ack, err := c.Connect(ctx)
	if err != nil || ack.Code != 0 {
		return lacks("clients without an id of their own") // a broker may refuse them, section 3.1.3.1
	}
	if _, assigned := ack.Props.Text(mqtt.AssignedClientID); s.Version == mqtt.V5 && !assigned {
		return broke("CONNACK does not tell the assigned client id [MQTT-3.2.2-16]")
	}
	return nil
}

func offline(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0, keepSession, func(o *client.Options) { o.Clean = s.Version == mqtt.V5 })
	if err == nil && s.Version == mqtt.V311 { // clean, then persistent: 3.1.1 cannot say both at once
		a.Disconnect(0)
		a, ack, err = s.join(ctx, 0, keepSession)
	}
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.SessionExpiry, 300) == 0 {
		return lacks("sessions that outlive their connection")
	}
	if err := subscribe(ctx, a, mqtt.Subscription{Filter: s.topic("+/+"), QoS: 2}); err != nil {
		return err
	}
	a.Disconnect(0)
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	if err := qoss(ctx, b, mqtt.Packet{}, s.topic("TopicA/B"), s.topic("Topic/C"), s.topic("TopicA/C")); err != nil {
		return err
	}
	if a, ack, err = s.join(ctx, 0, keepSession); err != nil {
		return err
	}
	if !ack.SessionPresent {
		return broke("the session is gone after a reconnect [MQTT-3.2.2-2]")
	}
	if q := quality(gather(ctx, a, 2)); q != "1 2" && q != "0 1 2" { // QoS 0 may be queued or not
		return broke("of one message of each QoS that was sent while the client was away came those of QoS %q", q)
	}
	return nil
}

func overlapping(ctx context.Context, s *Stage) error {
	a, _, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	codes, err := a.Subscribe(ctx, mqtt.Subscription{Filter: s.topic("TopicA/#"), QoS: 2}, mqtt.Subscription{Filter: s.topic("TopicA/+"), QoS: 1})
	if err != nil || len(codes) != 2 {
		return broke("a SUBSCRIBE of two filters was answered with codes %v, %v", codes, err)
	}
	if err := publish(ctx, a, mqtt.Packet{Topic: s.topic("TopicA/C"), QoS: 2, Payload: []byte("overlapping topic filters")}); err != nil {
		return err
	}
	if q := quality(gather(ctx, a, 1)); q != "2" && q != "1 2" {
		statement := "MQTT-3.3.4-2"
		if s.Version == mqtt.V311 {
			statement = "MQTT-3.3.5-1"
		}
		return broke("a message for two overlapping subscriptions, QoS 2 and 1, came with QoS %q; \"2\" and \"1 2\" are right [%s]", q, statement)
	}
	return nil
}

func keepAlive(ctx context.Context, s *Stage) error {
	a, ack, err := s.join(ctx, 0, func(o *client.Options) {
		o.KeepAlive, o.Will = 5, &mqtt.Will{Topic: s.topic("TopicA"), Payload: []byte("keepalive expiry")}
	})
	if err != nil {
		return err
	}
	b, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: s.topic("TopicA"), QoS: 2}); err != nil {
		return err
	}
	a.Silence()
	limit := time.Duration(ack.Props.Int(mqtt.ServerKeepAlive, 5)) * time.Second * 3
	if _, err := b.AwaitMessages(ctx, limit, 1); err != nil {
		return broke("no will of a client that was silent for three times its keep-alive")
	}
	return nil
}

func redelivery(ctx context.Context, s *Stage) error {
	first, _, err := s.join(ctx, 1)
	if err != nil {
		return err
	}
	first.Disconnect(0)
	b, ack, err := s.join(ctx, 1, keepSession)
	if err != nil {
		return err
	}
	if ack.Props.Int(mqtt.SessionExpiry, 300) == 0 {
		return lacks("sessions that outlive their connection")
	}
	if err := subscribe(ctx, b, mqtt.Subscription{Filter: s.topic("TopicA/#"), QoS: 2}); err != nil {
		return err
	}
	b.Hold()
	a, _, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	for _, q := range []byte{1, 2} {
		if err := publish(ctx, a, mqtt.Packet{Topic: s.topic("TopicA/B"), QoS: q}); err != nil {
			return err
		}
	}
	_ = b.Quiet(ctx, time.Second)
	b.Close()
	if b, _, err = s.join(ctx, 1, keepSession); err != nil {
		return err
	}
	if q := quality(gather(ctx, b, 2)); q != "1 2" {
		return broke("of the unacknowledged messages of QoS 1 and 2 came those of QoS %q after the reconnect [MQTT-4.4.0-1]", q)
	}
	return nil
}

func subscribeFailure(ctx context.Context, s *Stage) error {
	if s.Forbidden == "" {
		return lacks("a topic that a client may not subscribe to")
	}
	a, _, err := s.join(ctx, 0)
	if err != nil {
		return err
	}
	codes, err := a.Subscribe(ctx, mqtt.Subscription{Filter: s.Forbidden, QoS: 2})
	if err == nil && len(codes) == 1 && codes[0] <= 2 { // in order if nothing is delivered, which security.broker-acl looks at
		return lacks("a refusal of forbidden filters: %s was granted", s.Forbidden)
	}
	return nil // refused, or cut off for it
}

func dollar(ctx context.Context, s *Stage) error {
	for i := range 2 {
		c, _, err := s.join(ctx, i)
		if err != nil {
			return err
		}
		if codes, err := c.Subscribe(ctx, mqtt.Subscription{Filter: "#"}); err != nil || len(codes) != 1 || codes[0] > 2 {
			continue
		}
		_, _ = c.Publish(ctx, mqtt.Packet{Topic: "$shakedown/TopicA/B", QoS: 1}) // may be refused
		_ = c.Quiet(ctx, 2*time.Second)
		for _, m := range c.Messages() {
			if strings.HasPrefix(m.Topic, "$") {
				return broke("%s came for a subscription to # [MQTT-4.7.2-1]", m.Topic)
			}
		}
		return nil
	}
	return lacks("a client that may subscribe to #")
}
