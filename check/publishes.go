package check

import (
	"context"

	"github.com/shakedown-test/shakedown/testbed"
)

// Publishes waits for the device to publish something with QoS 1 or 2 on session s, in the events from mark on. A command whose
// effect is a message is sent to make it do so. A device that publishes nothing makes the check not applicable.
func (t *T) Publishes(ctx context.Context, s *testbed.Session, mark int) (testbed.Publication, error) {
	t.Evoke(s, 1)
	p, ok, err := t.Device.AwaitPublication(ctx, s, mark, t.Device.Reports(), nil)
	if err != nil {
		return p, err
	}
	if !ok {
		return p, NotApplicable("the device published nothing with QoS 1 or 2 within %s", t.Device.Reports())
	}
	return p, nil
}

// Evoke sends n commands whose effect is a message of the device, if such a command is declared. That a command cannot be sent shows
// in what does not come.
func (t *T) Evoke(s *testbed.Session, n int) {
	if m := t.Device.Part.MQTT; m == nil || m.Command == nil || m.Command.Effect.Topic == "" {
		return
	}
	for range n {
		_ = s.Send(t.Device.Command())
	}
}
