package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/ntp"
)

const (
	jump       = 365 * 24 * time.Hour
	syncWithin = 5 * time.Minute // that a running device asks for the time again
)

// ClockJump has the time servers tell a time that is a year ahead for a while.
var ClockJump = &check.Check{
	ID:    "fault.clock-jump",
	Title: "Survives a jump of the time, and finds back",
	Why: "Time servers have been wrong by years, and so have clocks after a flat battery. " +
		"A device that then waits a year for its next timer, or never goes back to the right time, is lost without anybody near it.",
	Pass: "with time servers that are a year ahead for one request: no crash; after the next request the clock that it shows is right again within 30 s (or was never wrong); " +
		"and it answers, or comes back, within twice the reconnect cap and 10 s",
	Fix:          "run timers on a clock that cannot be set, take a time in the past as readily as one in the future, and look at the session after a jump",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"clock.jump"},
	Sources:      []string{"RFC 5905 section 6", "the criterion: ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      3 * time.Minute,
	Limit:        time.Hour,
	Run:          clockJump,
}

// jumped is what a device did when the time jumped.
type jumped struct {
	exits  []string
	shown  int           // messages with a time after the time servers were right again
	off    time.Duration // how far its clock was ahead in the best of them
	health testbed.Health
}

func clockJump(ctx context.Context, t *check.T) error {
	mark := t.Log.Len()
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	field, shows, err := t.Device.FindClock(ctx, mark, t.Device.Reports())
	if err != nil {
		return err
	}
	t.Step("have the time servers be a year ahead")
	heal := t.Impair(t.NTP.Do(ntp.Offset(jump)))
	mark = t.Log.Len()
	reply, asked, err := t.Device.AwaitTime(ctx, mark, syncWithin)
	if err != nil {
		return err
	}
	if !asked {
		return check.NotApplicable("the device asked no time server within %s", syncWithin)
	}
	if err := t.Clock.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	t.Step("have them be right again")
	heal()
	again, asked, err := t.Device.AwaitTime(ctx, reply.N+1, 2*syncWithin)
	if err != nil {
		return err
	}
	var j jumped
	if asked && shows {
		if j.off, j.shown, err = t.Device.NearestClock(ctx, field, again.N, 0, 30*time.Second); err != nil {
			return err
		}
	}
	p, err := t.Device.Probe(ctx, s, mark, 2*t.Device.Cap()+10*time.Second)
	if err != nil {
		return err
	}
	j.health = p.Health
	for _, e := range t.Log.Since(mark) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			j.exits = append(j.exits, e.Text)
		}
	}
	if !shows {
		t.Record("it does not show its clock in what it publishes, so that only its health was looked at")
	}
	t.MeasureTime("clock of the device ahead in the end", j.off, "")
	t.Find(judgeJump(j)...)
	return nil
}

func judgeJump(j jumped) (found []check.Finding) {
	if len(j.exits) > 0 {
		found = append(found, check.Finding{
			Severity: check.Blocker,
			Title:    "Crashes when its time jumps by a year",
			Seen:     fmt.Sprintf("its process ended %d times, at first with: %s", len(j.exits), j.exits[0]),
		})
	}
	if j.shown > 0 && j.off.Abs() > jump/2 {
		found = append(found, check.Finding{
			Title:    "Keeps a wrong time when its time server is right again",
			Expected: "a right clock within 30 s of the next reply",
			Seen:     fmt.Sprintf("its clock is %.0f days ahead", j.off.Hours()/24),
		})
	}
	if j.health != testbed.Answers && j.health != testbed.CameBack && len(j.exits) == 0 {
		found = append(found, check.Finding{
			Severity: check.Blocker,
			Title:    "Is lost after a jump of its time",
			Expected: "an answer, or a new connection within twice the reconnect cap and 10 s",
			Seen:     fmt.Sprintf("the device %s", j.health),
		})
	}
	return found
}
