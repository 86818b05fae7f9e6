package protocol

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// onlineWith starts the device anew in a world with another framing, and waits until it is online. Without a session the finding
// says so, after the device came online in an ordinary world again.
func onlineWith(ctx context.Context, t *check.T, presented string, impair func() (undo func())) (*testbed.Session, error) {
	t.Step("present %s", presented)
	heal := t.Impair(impair())
	if err := t.Device.Fresh(ctx); err != nil {
		return nil, err
	}
	first := t.Log.Len()
	s, err := t.Device.Online(ctx)
	if err == nil || !errors.Is(err, testbed.ErrOffline) {
		return s, err
	}
	last := t.Log.Len() - 1
	heal()
	if err := t.Device.Fresh(ctx); err != nil {
		return nil, err
	}
	if _, err := t.Online(ctx); err != nil { // the control
		return nil, err
	}
	t.Find(check.Finding{
		Title:    "Does not get online with " + presented,
		Expected: "an accepted connection and its subscriptions while the endpoint sends " + presented,
		Seen:     err.Error() + "; in the ordinary world it came online",
		Evidence: check.Range(first, last, "the attempts"),
	})
	return nil, nil
}

// acknowledged sends a QoS 1 message to the device, filled up to size with blanks, which JSON and most other texts allow at their end,
// and reports whether its PUBACK came within 30 s.
func acknowledged(ctx context.Context, t *check.T, s *testbed.Session, m *mqtt.Packet, size int) (bool, error) {
	mark := t.Log.Len()
	m.Payload = append(m.Payload, bytes.Repeat([]byte(" "), max(0, size-len(m.Payload)))...)
	if s.Conn.Send(m) != nil {
		return false, nil
	}
	_, err := t.Device.AwaitAck(ctx, s, mark, 30*time.Second, mqtt.PUBACK, m.ID)
	return err == nil, ctx.Err()
}
