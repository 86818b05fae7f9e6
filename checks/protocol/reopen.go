package protocol

import (
	"context"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

// reopen closes the connection of s with a FIN and waits for the device to come back.
func reopen(ctx context.Context, t *check.T, s *testbed.Session) (*testbed.Session, error) {
	mark := t.Log.Len()
	s.Conn.Close()
	return t.Again(ctx, mark)
}

// lasting is not-applicable for a device whose sessions end with the connection.
func lasting(s *testbed.Session) error {
	switch {
	case s.Connect.Connect.Clean:
		return check.NotApplicable("it starts a clean session at every connection; see protocol.resubscribe")
	case !s.Kept():
		return check.NotApplicable("its sessions end with the connection (session expiry 0)")
	}
	return nil
}
