package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// sessions5 are the scenarios of 5.0 about connecting and what outlives a connection.
var sessions5 = []Scenario{
	{"session expiry", sessionExpiry},
	{"will delay", willDelay},
	{"assigned client id", assignedID},
	{"server keep alive", serverKeepAlive},
}

func sessionExpiry(ctx context.Context, s *Stage) error {
	for i, step := range []struct {
		clean   bool
		expiry  uint32
		present bool
		leave   int64 // session expiry of DISCONNECT, if not negative
		wait    time.Duration
	}{
		{clean: true, expiry: 0, leave: -1},
		{expiry: 0, leave: -1},
		{clean: true, expiry: 5, leave: -1, wait: 2 * time.Second},
		{expiry: 5, present: true, leave: -1, wait: 7 * time.Second},
		{expiry: 5, leave: -1},
		{clean: true, expiry: 1, leave: 6, wait: 3 * time.Second},
		{expiry: 1, present: true, leave: 0},
		{expiry: 0, leave: -1},
	} {
		c, ack, err := s.join(ctx, 0, with(mqtt.Property{ID: mqtt.SessionExpiry, Int: step.expiry}), func(o *client.Options) { o.Clean = step.clean })
		if err != nil {
			return err
		}
		if got := ack.Props.Int(mqtt.SessionExpiry, step.expiry); got != step.expiry {
			return lacks("a session expiry of %d s; it grants %d s", step.expiry, got)
		}
		if ack.SessionPresent != step.present {
			return broke("step %d, session expiry %d s: session present is %v, %v is right", i+1, step.expiry, ack.SessionPresent, step.present)
		}
		if step.leave >= 0 {
			c.Disconnect(0, mqtt.Property{ID: mqtt.SessionExpiry, Int: uint32(step.leave)})
		} else {
			c.Disconnect(0)
		}
		if err := s.Clock.Sleep(ctx, step.wait); err != nil {
			return err
		}
	}
	return nil
}

func willDelay(ctx context.Context, s *Stage) error {
	const delay, late = 3, 1500 * time.Millisecond
	a, _, err := s.join(ctx, 0, with(mqtt.Property{ID: mqtt.SessionExpiry, Int: 60}), func(o *client.Options) {
		o.Will = &mqtt.Will{Topic: s.topic("TopicA"), Payload: []byte("test_will_delay will message"), Props: mqtt.Properties{{ID: mqtt.WillDelay, Int: delay}}}
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
	a.Close()
	end := s.Clock.Now()
	got, err := b.AwaitMessages(ctx, 4*delay*time.Second, 1)
	if err != nil {
		return broke("a will with a delay of %d s did not come within %d s", delay, 4*delay)
	}
	if took := got[0].At.Sub(end); took < delay*time.Second-late || took > delay*time.Second+late {
		return broke("a will with a delay of %d s came after %.1f s [MQTT-3.1.3-9]", delay, took.Seconds())
	}
	return nil
}

func assignedID(ctx context.Context, s *Stage) error {
	c, err := s.dial(ctx, 0, func(o *client.Options) { o.ClientID = "" })
	if err != nil {
		return err
	}
	ack, err := c.Connect(ctx)
	if err != nil || ack.Code != 0 {
		return lacks("clients without an id of their own")
	}
	id, _ := ack.Props.Text(mqtt.AssignedClientID)
	if id == "" {
		return broke("CONNACK does not tell the assigned client id [MQTT-3.2.2-16]")
	}
	c.Disconnect(0)
	if _, _, err := s.join(ctx, 0, func(o *client.Options) { o.ClientID = id }); err != nil {
		return broke("the client cannot connect with the id that it was assigned: %v", err)
	}
	return nil
}

func serverKeepAlive(ctx context.Context, s *Stage) error {
	c, ack, err := s.join(ctx, 0, func(o *client.Options) { o.KeepAlive = 120 })
	if err != nil {
		return err
	}
	k := ack.Props.Int(mqtt.ServerKeepAlive, 120)
	if k >= 60 {
		return lacks("a keep-alive of its own (under 60 s)")
	}
	c.Silence()
	if _, err := c.AwaitClose(ctx, time.Duration(k)*time.Second*2); err != nil {
		return broke("a silent client is not dropped within twice the keep-alive of %d s that the server imposed", k)
	}
	for _, p := range c.Packets() {
		if p.Type == mqtt.DISCONNECT && p.Code != 0x8D {
			return fmt.Errorf("it was dropped for another reason: %s", p.Packet)
		}
	}
	return nil
}
