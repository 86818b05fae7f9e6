package check

import (
	"context"
	"errors"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

const (
	refusedHint = "see the CONNACK in the evidence; a cloud with accounts needs test identities under clients: in the product file"
	roomHint    = "list identities under clients: with publish: and subscribe: filters that end in # and share one tree"
	downHint    = "see that it starts, and that it listens at {listen.port} or at its address"
)

// Room starts the cloud and finds a part of its topic tree in which n identities may write and read. The first of them connects and
// leaves again: the positive control. A cloud that does not speak the MQTT version that the check needs makes it not-applicable.
func (t *T) Room(ctx context.Context, n int) (testbed.Room, error) {
	if err := t.Cloud.Start(ctx); err != nil {
		return testbed.Room{}, Refuses(err)
	}
	room, ok := t.Cloud.Room(n)
	if !ok {
		return room, NotRun(roomHint, "no %d of the cloud's test identities may write and read the same topics", n)
	}
	var err error
	if room.Version, err = t.Cloud.Version(ctx, room.Members[0]); err != nil {
		return room, err
	}
	if room.Version == 0 {
		return room, NotRun(refusedHint, "the cloud accepts %q in no MQTT version", room.Members[0].ID)
	}
	if want := t.check.Needs.Version; want != "" && want != room.Version.String() {
		other := mqtt.V311
		if want == mqtt.V5.String() {
			other = mqtt.V5
		}
		if ok, err := t.Cloud.Speaks(ctx, other, room.Members[0]); err != nil {
			return room, err
		} else if !ok {
			return room, NotApplicable("the cloud does not accept MQTT %s", want)
		}
		room.Version = other
	}
	first, err := room.Join(ctx, 0)
	if err != nil {
		return room, Refuses(err)
	}
	first.Disconnect(0)
	if t.Cloud.Part.Address != "" {
		t.Undo(func() { room.Tidy(context.WithoutCancel(ctx)) })
	}
	return room, nil
}

// Join connects a member of a room that has every right to; see testbed.Cloud.Join. When it is refused, the check is not run.
func (t *T) Join(ctx context.Context, room testbed.Room, member int, change ...func(*client.Options)) (*client.Conn, error) {
	c, err := room.Join(ctx, member, change...)
	if err != nil {
		return nil, Refuses(err)
	}
	return c, nil
}

// Reader is Room for two, the second of whom has joined and subscribed to a topic of it.
func (t *T) Reader(ctx context.Context, topic string, qos byte) (testbed.Room, *client.Conn, error) {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return room, nil, err
	}
	reader, err := t.Join(ctx, room, 1)
	if err != nil {
		return room, nil, err
	}
	return room, reader, Subscribed(ctx, reader, mqtt.Subscription{Filter: room.Topic(topic), QoS: qos})
}

// Refuses turns the error of a cloud that is down, turns healthy clients away or does not answer them into a not-run with a hint;
// other errors stay as they are.
func Refuses(err error) error {
	switch {
	case errors.Is(err, testbed.ErrDown):
		return NotRun(downHint, "%v", err)
	case errors.Is(err, testbed.ErrRefused), errors.Is(err, client.ErrClosed), errors.Is(err, client.ErrNoAnswer):
		return NotRun(refusedHint, "%v", err)
	}
	return err
}

// Subscribed makes subscriptions that the check builds on; one that is refused is a not-run.
func Subscribed(ctx context.Context, c *client.Conn, subs ...mqtt.Subscription) error {
	codes, err := c.Subscribe(ctx, subs...)
	if err != nil {
		return Refuses(err)
	}
	for i, s := range subs {
		if i >= len(codes) || codes[i] > 2 {
			return NotRun(roomHint, "the subscription of %s to %s was refused with % X", c.ClientID(), s.Filter, codes)
		}
	}
	return nil
}
