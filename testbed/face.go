package testbed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// Faced is what a device did in a world that was made to misbehave, and after that was healed.
type Faced struct {
	Attempts  []Attempt     // before the healing
	Healed    time.Time     // when the world was healed
	Back      *Session      // the first accepted connection after the healing; never nil without an error
	BackAfter time.Duration // from the healing to Back; from the restart when Restarted
	Restarted bool          // it did not come back by itself within the limit, and was started anew
	First     int           // numbers of the first and last event before the healing
	Last      int
}

// Facing is a world that was made to misbehave, and how long to look on.
type Facing struct {
	Heal       func()        // ends the misbehaviour
	Attempts   int           // look on until so many attempts have ended
	Within     time.Duration // or until so much device time has passed
	UntilBytes bool          // or until application bytes came
	Recover    time.Duration // how long the device may take to come back after the healing; 0: Patience, or idle
}

// idle is how long a device that can be started anew may do nothing, where its own coming back is not what is judged: it is looked at
// no longer when an attempt has ended and no other was made, and started anew when it does not come after the healing.
const idle = 20 * time.Second

// restarts reports whether the device can be started anew without a person.
func (d *Device) restarts() bool { return d.Part.Driver != "external" && d.Part.Driver != "human" }

// Patience is how long to wait for a device to come back by itself when that is not what is judged: half a minute when it can be
// started anew, else as long as its back-off may last.
func (d *Device) Patience() time.Duration {
	if d.Part.Driver == "external" {
		return 2*d.Cap() + 30*time.Second
	}
	return 30 * time.Second
}

// Face starts the device in the world as it has been impaired, if it is not running, and looks on; then it heals the world and waits
// for an accepted connection, at last by starting the device anew. That connection is the positive control: without it the error is
// ErrOffline, and what was seen before means nothing. It is also an error when the device did not try to connect at all.
func (d *Device) Face(ctx context.Context, w Facing) (Faced, error) {
	f := Faced{First: d.bed.Log.Len()}
	if err := d.Start(ctx); err != nil {
		return f, fmt.Errorf("start %s: %w", d.Part.Name, err)
	}
	if err := d.lookOn(ctx, f.First, w); err != nil {
		return f, err
	}
	f.Last = d.bed.Log.Len() - 1
	f.Attempts = Attempts(d.bed.Log.Since(f.First)[:f.Last+1-f.First])
	exited := slices.ContainsFunc(d.bed.Log.Since(f.First), d.Ends)
	mark := d.bed.Log.Len()
	w.Heal()
	f.Healed = d.bed.Clock.Now()
	patience := w.Recover
	switch {
	case patience == 0 && d.restarts():
		patience = idle
	case patience == 0:
		patience = d.Patience()
	}
	var back *Session
	err := ErrOffline
	if !exited {
		back, err = d.NextSession(ctx, mark, patience)
	}
	if errors.Is(err, ErrOffline) {
		f.Restarted = true
		mark = d.bed.Log.Len()
		if err := d.Restart(ctx); err != nil {
			return f, fmt.Errorf("restart %s: %w", d.Part.Name, err)
		}
		f.Healed = d.bed.Clock.Now()
		back, err = d.NextSession(ctx, mark, d.ConnectWithin()*3/2)
	}
	if err != nil {
		return f, err
	}
	f.Back, f.BackAfter = back, back.Since.Sub(f.Healed)
	if len(f.Attempts) == 0 {
		return f, fmt.Errorf("%w: it made no attempt within %s", ErrOffline, w.Within)
	}
	return f, nil
}

// oneAttempt is how long an attempt has, from its opening, to come to application bytes or to its end, also when the time to look on
// is over before: nothing could be said of one that was cut short.
const oneAttempt = 30 * time.Second

// lookOn returns when what w waits for has happened, or its time is over. What was open before counts for nothing.
func (d *Device) lookOn(ctx context.Context, mark int, w Facing) error {
	start := d.bed.Clock.Now()
	l := looking{end: start.Add(w.Within), open: map[int]bool{}}
	for l.ended < w.Attempts && !(l.gone && len(l.open) == 0) {
		end := l.end
		switch {
		case w.UntilBytes && len(l.open) > 0 && l.begun.Add(oneAttempt).After(end):
			end = l.begun.Add(oneAttempt)
		case w.Recover == 0 && d.restarts() && l.ended > 0 && len(l.open) == 0 && l.over.Add(idle).Before(end):
			end = l.over.Add(idle)
		}
		wait, cancel := d.bed.Clock.Timeout(ctx, end.Sub(d.bed.Clock.Now()))
		e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool { return l.minds(e, w.UntilBytes) || d.Ends(e) })
		cancel()
		if err != nil {
			return ctx.Err() // the time is over: what was seen counts
		}
		mark = e.N + 1
		if l.see(e) {
			return nil
		}
	}
	return nil
}

// looking is what was seen so far of a device that is looked at.
type looking struct {
	end   time.Time
	open  map[int]bool // connections that were opened and have not ended
	begun time.Time    // the latest attempt
	ended int          // attempts
	over  time.Time    // the latest end of one
	gone  bool         // its process ended; what it sent before may still be on the way
}

// minds reports whether e changes what is seen.
func (l *looking) minds(e evidence.Event, bytes bool) bool {
	switch e.Kind {
	case evidence.Open, evidence.Refused, evidence.Overflow:
		return true
	case evidence.Close:
		return l.open[e.Conn]
	case evidence.Bytes:
		return bytes && l.open[e.Conn]
	}
	return false
}

// see takes e in, and reports whether it ends the looking.
func (l *looking) see(e evidence.Event) (enough bool) {
	switch e.Kind {
	case evidence.Open:
		l.open[e.Conn], l.begun = true, e.At
	case evidence.Close, evidence.Refused:
		delete(l.open, e.Conn)
		l.ended, l.over = l.ended+1, e.At
	case evidence.Exit:
		l.gone = true
	default:
		return true
	}
	return false
}
