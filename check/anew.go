package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
)

// Anew has the device start anew, or, where only a person could do that, cuts it off, and waits up to within for its next session, which
// is nil when none came. Mark is the number of the first event after that.
func (t *T) Anew(ctx context.Context, within time.Duration) (s *testbed.Session, mark int, err error) {
	if err := t.Device.Fresh(ctx); err != nil {
		return nil, 0, err
	}
	mark = t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return nil, mark, fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	s, err = t.Device.NextSession(ctx, mark, within)
	if errors.Is(err, testbed.ErrOffline) {
		return nil, mark, nil
	}
	return s, mark, err
}

// Healthy is the positive control after a misbehaviour: the world is healed, and the device must come online when it starts anew.
func (t *T) Healthy(ctx context.Context) error {
	s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
	if err == nil && s == nil {
		return NotRun(offlineHint, "the device did not come online after everything was healed: %s", testbed.Account(t.Log.Since(mark)))
	}
	return err
}
