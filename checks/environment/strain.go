package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
)

// strained is how a device worked on a link on which something is wrong.
type strained struct {
	on      string // as in "a link that loses 5 % of the packets"
	trials  int
	tried   int // so many of them were made; the rest could not have changed what is found
	worked  int // trials that were answered
	lost    int // connections that it gave up, or that were given up
	exits   []evidence.Event
	stuck   bool // it did not answer any more, or stayed away
	allowed int  // trials that may fail, and connections that may be lost
	first   int
	last    int
}

// work asks the device so many times, a second apart, for something that it must answer, as testbed.Probe does, and follows it over
// lost connections. It stops when its process ended, or more trials failed than are allowed. It returns the session that it is in at
// last; nil when it is in none.
func work(ctx context.Context, t *check.T, s *testbed.Session, on string, trials, allowed int) (strained, *testbed.Session, error) {
	f := strained{on: on, trials: trials, allowed: allowed, first: t.Log.Len()}
	for i := range trials {
		f.tried = i + 1
		if i > 0 {
			if err := t.Clock.Sleep(ctx, time.Second); err != nil {
				return f, s, err
			}
		}
		p, err := t.Device.Probe(ctx, s, t.Log.Len(), t.Device.Patience())
		if err != nil {
			return f, s, err
		}
		f.exits = crashes(t, f.first)
		if p.Health == testbed.CameBack {
			if s, err = t.Device.NextSession(ctx, p.First, t.Device.Patience()); errors.Is(err, testbed.ErrOffline) {
				p.Health = testbed.StaysAway
			} else if err != nil {
				return f, nil, err
			}
		}
		if p.Health == testbed.Answers {
			f.worked++
		}
		if p.Health != testbed.Answers && p.Health != testbed.CameBack {
			f.stuck, s = true, nil
			break
		}
		if len(f.exits) > 0 || f.tried-f.worked > f.allowed {
			break
		}
	}
	f.last = t.Log.Len() - 1
	for _, a := range testbed.Attempts(t.Log.Since(f.first)) {
		if !a.Accepted.IsZero() {
			f.lost++
		}
	}
	t.Measure("answered on "+f.on, float64(f.worked), fmt.Sprintf("of %d", f.tried), fmt.Sprintf(">= %d", f.trials-f.allowed))
	return f, s, nil
}

// recovers brings a device back after the link was healed: by itself, or by a restart. It reports how it did: false, when it had to be
// started anew. A device that was stuck may still be in its last session, and work again. The error is a not-run when it does not come back at all, because then its absence shows nothing.
func recovers(ctx context.Context, t *check.T, s *testbed.Session, mark int) (next *testbed.Session, byItself bool, err error) {
	if s == nil {
		s = t.Device.Live()
	}
	if s != nil {
		p, err := t.Device.Probe(ctx, s, mark, t.Device.Patience())
		if err != nil {
			return nil, false, err
		}
		if p.Health == testbed.Answers {
			return s, true, nil
		}
	}
	s, err = t.Device.NextSession(ctx, mark, 2*t.Device.Cap()+t.Device.Patience())
	byItself = err == nil
	if errors.Is(err, testbed.ErrOffline) {
		mark = t.Log.Len()
		if err := t.Device.Restart(ctx); err != nil {
			return nil, false, err
		}
		s, err = t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()*3/2)
	}
	if err != nil {
		return nil, false, check.Offline(err)
	}
	return s, byItself, t.Device.Settle(ctx, s)
}

// judgeExits finds when the device's process ended.
func judgeExits(f strained) []check.Finding {
	if len(f.exits) == 0 {
		return nil
	}
	return []check.Finding{{
		Severity: check.Blocker,
		Title:    check.Ended(f.exits[0].Text) + " on " + f.on,
		Expected: "it goes on running",
		Seen:     fmt.Sprintf("its process ended by itself %d times (%s)", len(f.exits), f.exits[0].Text),
		Evidence: check.Range(f.first, f.exits[0].N, "until the exit"),
	}}
}

// judgeStrained finds when the device did not work, or gave its connections up.
func judgeStrained(f strained) []check.Finding {
	if len(f.exits) > 0 {
		return judgeExits(f)
	}
	switch {
	case f.stuck || f.trials-f.worked > f.allowed:
		return []check.Finding{{
			Title:    "Does not work on " + f.on,
			Expected: fmt.Sprintf("an answer in at least %d of %d trials", f.trials-f.allowed, f.trials),
			Seen:     fmt.Sprintf("%d answers in %d trials, %d connections made anew%s", f.worked, f.tried, f.lost, ended(f.stuck)),
			Evidence: check.Range(f.first, f.last, "the trials"),
		}}
	case f.lost > f.allowed:
		return []check.Finding{{
			Title:    "Gives its connection up on " + f.on,
			Expected: fmt.Sprintf("at most %d connection made anew during %d trials", f.allowed, f.trials),
			Seen:     fmt.Sprintf("%d, with %d answers", f.lost, f.worked),
			Evidence: check.Range(f.first, f.last, "the trials"),
		}}
	}
	return nil
}

func ended(stuck bool) string {
	if stuck {
		return "; then it answered nothing more"
	}
	return ""
}

// joined is how a device connected, after it was started into an impaired network.
type joined struct {
	on     string
	within time.Duration // that it may take beside its declared connect_within
	took   time.Duration // from its start to the accepted connection; 0: it was not accepted
	exits  []evidence.Event
	first  int
	last   int
}

// connectWithin is how much longer a device may take to connect on a bad link than the maker declares.
const connectWithin = 60 * time.Second

// join starts the device anew into the network as it is now, and waits for its session; nil when it makes none.
func join(ctx context.Context, t *check.T, on string, within time.Duration) (joined, *testbed.Session, error) {
	j := joined{on: on, within: within, first: t.Log.Len()}
	if err := t.Device.Fresh(ctx); err != nil {
		return j, nil, err
	}
	mark, start := t.Log.Len(), t.Clock.Now()
	if err := t.Device.Start(ctx); err != nil {
		return j, nil, err
	}
	s, err := t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()+within+slack(t))
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return j, nil, err
	}
	j.exits, j.last = crashes(t, mark), t.Log.Len()-1
	if s == nil {
		return j, nil, nil
	}
	j.took = s.Since.Sub(start)
	t.MeasureTime("start to accepted connection on "+on, j.took, fmt.Sprintf("<= %.0f s", (t.Device.ConnectWithin()+within).Seconds()))
	if err := t.Device.Settle(ctx, s); err != nil && !errors.Is(err, testbed.ErrOffline) {
		return j, nil, err
	}
	return j, s, nil
}

func judgeJoined(j joined) []check.Finding {
	if len(j.exits) > 0 {
		return judgeExits(strained{on: j.on, exits: j.exits, first: j.first})
	}
	if j.took > 0 {
		return nil
	}
	return []check.Finding{{
		Title:    "Does not get online on " + j.on,
		Expected: fmt.Sprintf("an accepted connection within its declared time and %.0f s", j.within.Seconds()),
		Seen:     "none",
		Evidence: check.Range(j.first, j.last, "since it was started"),
	}}
}
