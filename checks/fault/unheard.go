package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

// unheard is what a device did when it heard nothing more on its connection.
type unheard struct {
	keepAlive   time.Duration
	good, still time.Duration // it should close the connection within good, and must within still
	since       string        // what these count from
	closed      bool          // it closed the connection itself
	after       time.Duration // when; or when it was given up
	back        bool          // it connected again
	backWithin  time.Duration // how long that was waited for
	first, last int           // numbers of the events that show it
}

// awaitNotice waits until the device itself closes the connection of s, or u.still has passed since start. Mark is where to look from.
func (u *unheard) awaitNotice(ctx context.Context, t *check.T, s *testbed.Session, mark int, start time.Time) error {
	u.first = mark
	slack := max(time.Second, t.Clock.Device(250*time.Millisecond)) // timers of libraries have steps of up to a second
	closed, err := t.Device.AwaitClose(ctx, s, mark, start.Add(u.still+slack).Sub(t.Clock.Now()))
	u.last = t.Log.Len() - 1
	u.after = t.Clock.Since(start)
	if err == nil {
		u.after, u.last = closed.At.Sub(start), closed.N
		u.closed = !strings.HasPrefix(closed.Text, "we ")
	}
	u.good += slack
	return ctx.Err()
}

// awaitReturn waits as long as the device's pauses may be, twice over, for a connection after mark.
func (u *unheard) awaitReturn(ctx context.Context, t *check.T, mark int) (*testbed.Session, error) {
	u.backWithin = 2*t.Device.Cap() + 10*time.Second
	s, err := t.Device.NextSession(ctx, mark, u.backWithin)
	if errors.Is(err, testbed.ErrOffline) {
		return nil, nil
	}
	u.back = err == nil
	return s, err
}

// judgeUnheard judges when a device noticed that nobody answers, and whether it came back.
func judgeUnheard(u unheard) []check.Finding {
	var found []check.Finding
	f := check.Finding{
		Expected: fmt.Sprintf("the connection closed by the device within %.1f s of %s; its keep-alive is %.0f s", u.good.Seconds(), u.since, u.keepAlive.Seconds()),
		Evidence: check.Range(u.first, u.last, "from "+u.since+" on"),
	}
	switch {
	case !u.closed:
		f.Title = "Does not notice that nobody answers any more"
		f.Seen = fmt.Sprintf("it kept the connection; given up after %.1f s", u.after.Seconds())
		found = append(found, f)
	case u.after > u.good:
		f.Severity = check.Minor
		f.Title = "Notices late that nobody answers any more"
		f.Seen = fmt.Sprintf("it closed the connection after %.1f s", u.after.Seconds())
		found = append(found, f)
	}
	if !u.back {
		found = append(found, check.Finding{
			Severity: check.Blocker,
			Title:    "Does not come back after a connection on which nobody answered",
			Expected: fmt.Sprintf("a new connection within %.0f s, twice its longest pause and 10 s", u.backWithin.Seconds()),
			Seen:     "none came",
			Evidence: f.Evidence,
		})
	}
	return found
}
