package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

const (
	lookFor   = 5 * time.Minute       // the longest that an outage is kept up
	giveUp    = time.Minute           // an attempt that nobody answers must be over by then
	busy      = 80 * time.Millisecond // of a pause may be the fault of a busy machine
	offBefore = 5 * time.Minute       // limit of the recovery where no reconnect_cap is declared
)

// outage is a world in which no connection of the device lasts.
type outage struct {
	during  string // as in "while the port is closed"
	running bool   // the device is online when it begins; otherwise it is switched on into it
	begin   func(*check.T) (undo func(), err error)
	blind   string        // why attempts may go unseen, as a hint; empty: all are seen
	sparse  bool          // only the number of attempts counts, not how regular they are
	caps    int           // the device must be back within so many reconnect_caps after the healing; 0: 2
	within  time.Duration // how long it is kept up; 0: lookFor

	strike func(*check.T, *testbed.Session) // ends the session of a running device; nil: the broker closes it
	enough func(*ordeal) bool               // by now, what was seen decides; nil: classify does
	judge  func(ordeal) []check.Finding     // of the attempts; nil: judgePattern
}

// ordeal is what a device did in an outage and after it.
type ordeal struct {
	outage
	attempts  []testbed.Attempt // the first is the session that the outage ended, if it was running
	exits     []evidence.Event  // of its process during the outage
	healed    time.Time
	limit     time.Duration // for being back
	backAfter time.Duration // from the healing, or the restart
	restarted bool          // it did not come back by itself within limit
	chance    bool          // its pauses doubled exactly, and did not when the outage was repeated
	last      int           // number of the last event
	tick      time.Duration
}

// run carries an outage out and hands over what it finds.
func (o outage) run(ctx context.Context, t *check.T) error {
	o = o.withDefaults()
	r, err := o.face(ctx, t)
	if err != nil {
		return err
	}
	if !o.sparse && classify(r.attempts, r.tick) == doubling {
		t.Step("see whether its pauses double exactly a second time, or only did so by chance")
		if err := t.Device.Fresh(ctx); err != nil {
			return err
		}
		second, err := o.face(ctx, t)
		if err != nil {
			return err
		}
		r.chance = classify(second.attempts, second.tick) != doubling
	}
	tries := retries(r.attempts)
	if !o.running {
		tries = r.attempts
	}
	if !o.running && len(tries) == 0 && len(r.exits) == 0 {
		return check.NotRun(o.blind, "no attempt to connect was seen %s", o.during)
	}
	t.Record("attempts: %d; pauses: %s; they are %q", len(tries), seconds(testbed.Gaps(r.attempts)), classify(r.attempts, r.tick))
	t.Measure("retries in the fullest minute", float64(fullest(retries(r.attempts), time.Minute)), "", "<= 20")
	if !r.restarted {
		t.MeasureTime("back after the fault was over", r.backAfter, fmt.Sprintf("<= %.0f s", r.limit.Seconds()))
	}
	t.Find(judgeOrdeal(r)...)
	return nil
}

func (o outage) withDefaults() outage {
	if o.caps == 0 {
		o.caps = 2
	}
	if o.within == 0 {
		o.within = lookFor
	}
	if o.strike == nil {
		o.strike = func(_ *check.T, s *testbed.Session) { s.Conn.Close() }
	}
	if o.enough == nil {
		o.enough = func(r *ordeal) bool { return classify(r.attempts, r.tick) != undecided }
	}
	if o.judge == nil {
		o.judge = judgePattern
	}
	return o
}

// face brings the outage about, looks on until the pattern of the attempts is decided, heals, and waits for the device. That it comes
// back, at last by being started anew, is the positive control.
func (o outage) face(ctx context.Context, t *check.T) (ordeal, error) {
	r := ordeal{outage: o, tick: max(t.Clock.Device(8*time.Millisecond), busy), limit: backWithin(t, o.caps)}
	var session *testbed.Session
	first := 0 // number of the first connection that counts
	if o.running {
		s, err := t.Online(ctx)
		if err != nil {
			return r, err
		}
		session, first = s, s.Conn.Number()
	}
	mark := t.Log.Len()
	undo, err := o.begin(t)
	if err != nil {
		return r, err
	}
	heal := t.Impair(undo)
	if o.running {
		o.strike(t, session)
	} else if err := t.Device.Fresh(ctx); err != nil {
		return r, err
	}
	t.Step("look on %s", o.during)
	if err := t.Device.Start(ctx); err != nil {
		return r, fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	stuck, err := r.watch(ctx, t, mark, first)
	if err != nil {
		return r, err
	}
	after := t.Log.Len()
	heal()
	r.healed = t.Clock.Now()
	if stuck {
		t.Link.Cut(false)
	}
	return r, r.recover(ctx, t, after)
}

// backWithin is how long a device may take to be back after an outage: so many times its declared cap, 5 min where none is declared,
// and in any case two of its telemetry intervals, because it may sleep in between.
func backWithin(t *check.T, caps int) time.Duration {
	within := offBefore
	if t.Device.Has("reconnect_cap") {
		within = time.Duration(caps) * t.Device.Cap()
	}
	return max(within, 2*time.Duration(t.Product.Declared.TelemetryGap)) + t.Clock.Device(250*time.Millisecond)
}

// watch looks on until the pattern is decided or nothing more can be expected. It reports whether an attempt still hangs.
func (r *ordeal) watch(ctx context.Context, t *check.T, mark, first int) (stuck bool, err error) {
	start := t.Clock.Now()
	for {
		seen := t.Log.Len()
		r.see(t, mark, first)
		end := r.end(t, start)
		left := end.Sub(t.Clock.Now())
		if left <= 0 {
			n := len(r.attempts)
			return n > 0 && r.attempts[n-1].Closed.IsZero() && !serves(r.attempts[n-1]) && t.Clock.Since(r.attempts[n-1].Opened) > giveUp, nil
		}
		wait, cancel := t.Clock.Timeout(ctx, left)
		_, err := t.Log.Await(wait, seen, func(e evidence.Event) bool {
			switch e.Kind {
			case evidence.Open, evidence.Close, evidence.Refused, evidence.Exit, evidence.Overflow:
				return true
			}
			_, answered := broker.Sent(e, mqtt.CONNACK)
			return answered
		})
		cancel()
		if err != nil && ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
}

// see gathers what happened since mark. The attempts begin with connection first, or with the first after mark when first is 0.
func (r *ordeal) see(t *check.T, mark, first int) {
	r.last = t.Log.Len() - 1
	if first > 0 {
		all := testbed.Attempts(t.Log.Since(0))
		at := slices.IndexFunc(all, func(a testbed.Attempt) bool { return a.Conn == first })
		r.attempts = all[max(at, 0):]
	} else {
		r.attempts = testbed.Attempts(t.Log.Since(mark))
	}
	r.exits = exitsOf(t.Log.Since(mark), t.Device.Part.Name)
}

// serves reports whether an attempt became a session that still lasts.
func serves(a testbed.Attempt) bool { return !a.Accepted.IsZero() && a.Closed.IsZero() }

// end is when there is nothing more to look for, unless something happens until then.
func (r *ordeal) end(t *check.T, start time.Time) time.Time {
	n := len(r.attempts)
	open := n > 0 && r.attempts[n-1].Closed.IsZero() // or in session
	over := t.Log.Dropped() > 0 || r.enough(r) ||
		t.Device.Part.Driver == "process" && len(r.exits) > 0 && !open // nobody starts it anew
	if over {
		return start
	}
	end := start.Add(r.within)
	slack := t.Clock.Device(250 * time.Millisecond)
	switch {
	case n == 0: // its first attempt may take as long as a start
		return earlier(end, start.Add(t.Device.ConnectWithin()*3/2))
	case open && !serves(r.attempts[n-1]):
		return earlier(end, r.attempts[n-1].Opened.Add(giveUp+2*time.Second+slack))
	case !open && t.Device.Has("reconnect_cap"):
		return earlier(end, r.attempts[n-1].Closed.Add(t.Device.Cap()*5/4+slack))
	}
	return end
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// recover waits for the device after the healing, and starts it anew when it does not come.
func (r *ordeal) recover(ctx context.Context, t *check.T, mark int) error {
	t.Step("the fault is over: wait for it to come back")
	if n := len(r.attempts); n > 0 && serves(r.attempts[n-1]) {
		return nil // in a session that the fault left alone
	}
	err := error(testbed.ErrOffline)
	var back *testbed.Session
	if len(r.exits) == 0 || t.Device.Part.Driver != "process" {
		back, err = t.Device.NextSession(ctx, mark, r.limit)
	}
	from := r.healed
	if errors.Is(err, testbed.ErrOffline) {
		r.restarted = true
		mark = t.Log.Len()
		if err := t.Device.Restart(ctx); err != nil {
			return fmt.Errorf("restart %s: %w", t.Device.Part.Name, err)
		}
		from = t.Clock.Now()
		back, err = t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()*3/2)
	}
	if err != nil {
		return check.Offline(err)
	}
	r.backAfter = back.Since.Sub(from)
	return nil
}
