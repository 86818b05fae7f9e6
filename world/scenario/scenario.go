// Package scenario is the small plays that every MQTT broker must know, ten of MQTT 3.1.1 and 27 of MQTT 5.0. They follow the
// interoperability tests of the Eclipse Paho project (paho.mqtt.testing, client_test.py and client_test5.py) in what they try.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Stage is where a scenario is played: two clients and a part of the topic tree that both may write and read.
type Stage struct {
	Version   mqtt.Version
	Root      string // topics below it are ours
	Forbidden string // a filter that client 0 may not subscribe to; empty: none is known
	Clock     *clock.Clock
	Log       *evidence.Log

	// Dial opens a connection of client 0 or 1, by default with a clean session; CONNECT is not sent yet.
	Dial func(ctx context.Context, i int, change ...func(*client.Options)) (*client.Conn, error)

	mu    sync.Mutex
	conns []*client.Conn
	name  string
}

// Scenario is one play.
type Scenario struct {
	Name string // such as "will delay"
	Play func(context.Context, *Stage) error
}

// Outcome is how a scenario ended.
type Outcome string

// The outcomes. An optional feature that a broker says it does not have is not offered, which is in order.
const (
	Held       Outcome = "held"
	Broke      Outcome = "broke"
	NotOffered Outcome = "not offered"
	Unplayed   Outcome = "could not be played"
)

// Verdict is how one scenario went.
type Verdict struct {
	Name        string
	Outcome     Outcome
	Why         string // empty when it held
	First, Last int    // numbers of the events
}

// broken and absent are the errors with which a play ends early.
type (
	broken struct{ why string }
	absent struct{ what string }
)

func (b broken) Error() string { return b.why }
func (a absent) Error() string { return a.what }

func broke(format string, args ...any) error { return broken{fmt.Sprintf(format, args...)} }
func lacks(format string, args ...any) error { return absent{fmt.Sprintf(format, args...)} }

// Of lists the scenarios of a version.
func Of(v mqtt.Version) []Scenario {
	if v == mqtt.V5 {
		return slices.Concat(common, messages5, sessions5, limits5)
	}
	return slices.Clone(common)
}

// Play plays scenarios one after the other and ends every connection that they opened. The error is ctx's.
func Play(ctx context.Context, s *Stage, list []Scenario) ([]Verdict, error) {
	var all []Verdict
	for _, sc := range list {
		v := Verdict{Name: sc.Name, Outcome: Held, First: s.Log.Len()}
		s.name = strings.ReplaceAll(sc.Name, " ", "-")
		s.Log.Add(evidence.Event{Kind: evidence.Step, Text: fmt.Sprintf("scenario of MQTT %s: %s", s.Version, sc.Name)})
		err := sc.Play(ctx, s)
		s.leave()
		v.Last = s.Log.Len() - 1
		var b broken
		var a absent
		switch {
		case ctx.Err() != nil:
			return all, ctx.Err()
		case errors.As(err, &b):
			v.Outcome, v.Why = Broke, b.why
		case errors.As(err, &a):
			v.Outcome, v.Why = NotOffered, a.what
		case err != nil:
			v.Outcome, v.Why = Unplayed, err.Error()
		}
		all = append(all, v)
	}
	return all, nil
}

// leave says goodbye for every client.
func (s *Stage) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if c.Ended() == nil {
			c.Disconnect(0)
		}
	}
	s.conns = nil
}

// topic is a topic or filter of this scenario.
func (s *Stage) topic(name string) string { return s.Root + "/" + s.name + "/" + name }

const answerWithin = 10 * time.Second // device time in which a broker acts

func (s *Stage) dial(ctx context.Context, i int, change ...func(*client.Options)) (*client.Conn, error) {
	c, err := s.Dial(ctx, i, change...)
	if err == nil {
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
	}
	return c, err
}

// join connects a client that must be accepted.
func (s *Stage) join(ctx context.Context, i int, change ...func(*client.Options)) (*client.Conn, client.Received, error) {
	c, err := s.dial(ctx, i, change...)
	if err != nil {
		return nil, client.Received{}, err
	}
	ack, err := c.Connect(ctx)
	if err == nil && ack.Code != 0 {
		err = fmt.Errorf("a healthy client was refused: %s", ack.Packet)
	}
	return c, ack, err
}

// pair connects both clients with clean sessions.
func (s *Stage) pair(ctx context.Context) (a, b *client.Conn, err error) {
	if a, _, err = s.join(ctx, 0); err != nil {
		return nil, nil, err
	}
	b, _, err = s.join(ctx, 1)
	return a, b, err
}

// subscribe makes one subscription that must be granted.
func subscribe(ctx context.Context, c *client.Conn, sub mqtt.Subscription, props ...mqtt.Property) error {
	codes, err := c.SubscribeWith(ctx, props, sub)
	switch {
	case err != nil:
		return broke("SUBSCRIBE to %s was not answered: %v", sub.Filter, err)
	case len(codes) != 1 || codes[0] > 2:
		return fmt.Errorf("subscription to %s was refused with % X", sub.Filter, codes)
	}
	return nil
}

// publish sends a message that must be acknowledged.
func publish(ctx context.Context, c *client.Conn, m mqtt.Packet) error {
	ack, err := c.Publish(ctx, m)
	switch {
	case err != nil:
		return broke("PUBLISH with QoS %d was not acknowledged: %v", m.QoS, err)
	case m.QoS > 0 && ack.Code >= 0x80:
		return fmt.Errorf("PUBLISH was refused: %s", ack.Packet)
	}
	return nil
}

// qoss publishes a message with each QoS to a topic of its own, or all to one.
func qoss(ctx context.Context, c *client.Conn, m mqtt.Packet, topics ...string) error {
	for q := range byte(3) {
		m.QoS, m.Topic = q, topics[min(int(q), len(topics)-1)]
		m.Payload = fmt.Appendf(nil, "qos %d", q)
		if err := publish(ctx, c, m); err != nil {
			return err
		}
	}
	return nil
}

// gather waits for n messages and then for a second in which nothing more comes.
func gather(ctx context.Context, c *client.Conn, n int) []client.Received {
	_, _ = c.AwaitMessages(ctx, answerWithin, n)
	_ = c.Quiet(ctx, time.Second)
	return c.Messages()
}

// quality is the QoS of messages in order, such as "0 1 2".
func quality(ms []client.Received) string {
	var qs []byte
	for _, m := range ms {
		qs = append(qs, m.QoS)
	}
	slices.Sort(qs)
	return strings.Trim(fmt.Sprint(qs), "[]")
}

func keepSession(o *client.Options) {
	o.Clean = false
	if o.Version == mqtt.V5 {
		o.Props = append(o.Props, mqtt.Property{ID: mqtt.SessionExpiry, Int: 300})
	}
}

func with(p mqtt.Property) func(*client.Options) {
	return func(o *client.Options) { o.Props = append(o.Props, p) }
}
