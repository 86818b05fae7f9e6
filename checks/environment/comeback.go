package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

// comeback is how a device came back after something that was done to its network.
type comeback struct {
	after       string // what was done, as in "its router forgot its connections"
	since       string // what the time counts from, as in "that" or "the end of the reboot"
	within      time.Duration
	took        time.Duration
	back        bool
	tries       int // connections that it began meanwhile
	first, last int
}

// await waits for the session that follows the event c.first; start is what its time counts from.
func (c *comeback) await(ctx context.Context, t *check.T, start time.Time) (*testbed.Session, error) {
	s, err := returned(ctx, t, c.first, start.Add(c.within).Sub(t.Clock.Now()))
	if err != nil {
		return nil, err
	}
	c.last = t.Log.Len() - 1
	c.tries = len(testbed.Attempts(t.Log.Since(c.first)))
	if c.back = s != nil; c.back {
		c.took = max(s.Since.Sub(start), 0)
		t.MeasureTime(c.since+" to online", c.took, "<= "+c.within.String())
	}
	return s, nil
}

func judgeComeback(c comeback) []check.Finding {
	if c.back {
		return nil
	}
	return []check.Finding{{
		Title:    "Does not come back after " + c.after,
		Expected: fmt.Sprintf("online within %.0f s of %s", c.within.Seconds(), c.since),
		Seen:     fmt.Sprintf("it was not; %d connections reached its cloud meanwhile", c.tries),
		Evidence: check.Range(c.first, c.last, "from then on"),
	}}
}

// forgotten makes the connection of a device that is online go nowhere, and judges how it comes back: what it sends is lost without a
// word, so that only its keep-alive can tell.
func forgotten(ctx context.Context, t *check.T, after string, lose func()) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	k, err := check.KeepAlive(s)
	if err != nil {
		return err
	}
	c := comeback{after: after, since: "that", within: k*3/2 + 5*time.Second + 2*t.Device.Cap() + 10*time.Second, first: t.Log.Len()}
	t.Step("do so that %s; its keep-alive is %.0f s", after, k.Seconds())
	start, sent := t.Clock.Now(), t.Watch()
	lose()
	if _, err := c.await(ctx, t, start); err != nil {
		return err
	}
	limit := k*3/2 + 5*time.Second + lag(t)
	found := judgeComeback(c)
	if first := sent.Sent(true, t.CloudAt().Port()); len(first) > 0 {
		noticed := first[0].At.Sub(start)
		t.MeasureTime("loss to the next attempt", noticed, "<= "+limit.String())
		if noticed > limit {
			found = append(found, check.Finding{
				Severity: check.Major,
				Title:    "Notices late that " + after,
				Expected: fmt.Sprintf("another connection within %.1f s, 1.5 times its keep-alive and 5 s", limit.Seconds()),
				Seen:     fmt.Sprintf("it began one after %.1f s", noticed.Seconds()),
				Evidence: check.Range(c.first, c.last, "from the loss on"),
			})
		}
	}
	t.Find(found...)
	return nil
}
