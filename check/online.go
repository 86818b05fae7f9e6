package check

import (
	"context"
	"errors"

	"github.com/shakedown-test/shakedown/testbed"
)

const (
	offlineHint = "find out with protocol.connect-happy why it does not connect to a healthy broker; see its console in the evidence"
	awayHint    = "the findings of the risk fault say what it does when a connection ends; this can be judged once it comes back by itself"
)

// Online starts the device and waits until it is connected and has subscribed, in a world where nothing is wrong: the positive
// control. A device that speaks another MQTT version than the check needs makes it not-applicable.
func (t *T) Online(ctx context.Context) (*testbed.Session, error) {
	s, err := t.Device.Online(ctx)
	if err != nil {
		return nil, Offline(err)
	}
	return s, t.speaks(s)
}

// Speaks checks a session against the MQTT version that the check needs.
func (t *T) speaks(s *testbed.Session) error {
	if want := t.check.Needs.Version; want != "" && s.Version.String() != want {
		return NotApplicable("the device speaks MQTT %s; this is about MQTT %s", s.Version, want)
	}
	return nil
}

// Offline turns the error of a device that did not come online into a not-run with a hint; other errors stay as they are.
func Offline(err error) error {
	switch {
	case errors.Is(err, testbed.ErrAway):
		return NotRun(awayHint, "%v", err)
	case errors.Is(err, testbed.ErrOffline):
		return NotRun(offlineHint, "%v", err)
	}
	return err
}
