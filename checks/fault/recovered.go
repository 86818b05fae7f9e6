package fault

import (
	"context"
	"errors"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

// recovered is the session of a device that came back after p, or that is started anew because it did not.
func recovered(ctx context.Context, t *check.T, p testbed.Probe) (*testbed.Session, error) {
	s, err := (*testbed.Session)(nil), error(testbed.ErrOffline)
	if p.Health == testbed.CameBack {
		s, err = t.Device.NextSession(ctx, p.First, t.Device.Patience())
	}
	if errors.Is(err, testbed.ErrOffline) {
		mark := t.Log.Len()
		if err := t.Device.Restart(ctx); err != nil {
			return nil, err
		}
		s, err = t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()*3/2)
	}
	if err != nil {
		return nil, check.Offline(err)
	}
	return s, check.Offline(t.Device.Settle(ctx, s))
}
