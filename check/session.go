package check

import (
	"context"
	"errors"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// longest is the longest keep-alive that a check waits for: what the row of its value allows.
const longest = 20 * time.Minute

// KeepAlive is the keep-alive of a session, for checks that wait for it. A device that switched it off is not-applicable here, since
// it cannot notice silence at all; protocol.keepalive-value finds that.
func KeepAlive(s *testbed.Session) (time.Duration, error) {
	k := s.KeepAlive()
	switch {
	case k == 0:
		return 0, NotApplicable("its keep-alive is off, so it cannot notice silence; see protocol.keepalive-value")
	case k > longest:
		return 0, NotRun("shorten the keep-alive: protocol.keepalive-value says why", "a keep-alive of %s is too long to wait for", k)
	}
	return k, nil
}

// Subscriptions are those of a session. A device that subscribes to nothing is not-applicable.
func Subscriptions(s *testbed.Session) ([]mqtt.Subscription, error) {
	subs := s.Conn.Subscriptions()
	if len(subs) == 0 {
		return nil, NotApplicable("the device subscribes to nothing")
	}
	return subs, nil
}

// Again waits for the next accepted connection after mark where coming back is not what is judged: a device that stays away makes
// the check not-run.
func (t *T) Again(ctx context.Context, mark int) (*testbed.Session, error) {
	s, err := t.Device.NextSession(ctx, mark, t.Device.Patience())
	if errors.Is(err, testbed.ErrOffline) {
		return nil, NotRun("find out with fault.broker-restart why it does not come back when its connection was closed",
			"it did not connect again within %s", t.Device.Patience())
	}
	return s, err
}
