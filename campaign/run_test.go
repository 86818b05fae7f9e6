package campaign

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
)

func TestSerialPartsNeverOverlap(t *testing.T) {
	for _, instances := range []int{0, 1} {
		var most atomic.Int32
		var on *atomic.Int32
		meet := make(chan bool) // two jobs that are on at once meet here
		look := func(ctx context.Context, t *check.T) error {
			if err := t.Device.Start(ctx); err != nil {
				return err
			}
			if n := on.Load(); n > most.Load() {
				most.Store(n)
			}
			wait := time.NewTimer(50 * time.Millisecond)
			defer wait.Stop()
			select {
			case meet <- true:
			case <-meet:
			case <-wait.C:
			}
			return nil
		}
		var o Options
		o, on = plugged(instances, &check.Check{ID: "fault.a", Run: look}, &check.Check{ID: "fault.b", Run: look})
		o.Repeat = 2
		results, err := Run(t.Context(), o, begun(t, o), newNotes())
		if err != nil || len(results) != 4 {
			t.Fatalf("%d results, %v", len(results), err)
		}
		if alone := most.Load() == 1; alone != (instances == 1) {
			t.Errorf("with %d instances at once, %d were on together", instances, most.Load())
		}
	}
}

// What ended before an interruption is kept, what was under way is not, and a resumed run does the rest.
func TestInterruptAndResume(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	quick := &check.Check{ID: "fault.quick", Typical: time.Hour} // the longest first
	slow := &check.Check{ID: "fault.slow"}
	slow.Run = func(ctx context.Context, t *check.T) error {
		if err := t.Device.Start(ctx); err != nil {
			return err
		}
		interrupt()
		if len(t.Log.Since(0)) > 0 && ctx.Err() != nil {
			t.Find(check.Finding{Title: "of an interrupted job"})
		}
		return ctx.Err()
	}
	o, on := plugged(0, quick, slow)
	o.Parallel = 1
	run := begun(t, o)
	w := newNotes()
	if _, err := Run(ctx, o, run, w); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if left := run.Pending(); len(left) != 1 || left[0].Check != "fault.slow" {
		t.Fatalf("pending: %v", left)
	}
	if on.Load() != 0 {
		t.Errorf("%d parts are still on", on.Load())
	}
	results, err := Run(t.Context(), o, run, w)
	if err != nil || len(results) != 2 || results[1].Outcome != evidence.Pass {
		t.Errorf("resumed: %v, %v", results, err)
	}
	if w.started["fault.quick"] != 1 || w.ended["fault.slow"] != 1 {
		t.Errorf("started %v, ended %v", w.started, w.ended)
	}
}

// lags makes the next check fail while the machine seems to lag.
func lags(r **runner, t *check.T) {
	(*r).lag.mu.Lock()
	defer (*r).lag.mu.Unlock()
	(*r).lag.late = append((*r).lag.late, lateness{at: time.Now(), by: time.Hour})
	t.Find(check.Finding{Title: "too late"})
}

func TestFailuresUnderLagAreConfirmed(t *testing.T) {
	tests := []struct {
		name    string
		within  time.Duration
		again   bool // it fails the second time, too
		outcome evidence.Outcome
		runs    int
		reason  string
	}{
		{"it was the lag", time.Minute, false, evidence.Pass, 2, ""},
		{"it was not the lag", time.Minute, true, evidence.Fail, 2, ""},
		{"no time left", 0, false, evidence.Fail, 1, "not confirmed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r *runner
			runs := 0
			c := &check.Check{ID: "fault.a", Severity: check.Major}
			c.Run = func(ctx context.Context, t *check.T) error {
				if err := t.Device.Start(ctx); err != nil {
					return err
				}
				if runs++; runs == 1 || tt.again {
					lags(&r, t)
				}
				return nil
			}
			o, _ := plugged(0, c)
			o.Confirm = true
			var err error
			if r, err = newRunner(o, newNotes(), func() {}); err != nil {
				t.Fatal(err)
			}
			defer r.lag.stop()
			r.run = begun(t, o)
			r.one(t.Context(), r.run.Pending()[0], true)
			if len(r.run.Results()) != 0 {
				t.Fatal("a failure under lag was taken for granted")
			}
			r.confirm(t.Context(), tt.within)
			got := r.run.Results()
			if len(got) != 1 || got[0].Outcome != tt.outcome || runs != tt.runs || !strings.Contains(got[0].Reason, tt.reason) {
				t.Errorf("%d runs, %+v", runs, got)
			}
		})
	}
}

// When evidence cannot be written, nothing more is run, and nothing that was seen meanwhile counts.
func TestEvidenceThatCannotBeWritten(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	o, on := plugged(0, &check.Check{ID: "fault.a"})
	run, w := begun(t, o), newNotes()
	ctx, giveUp := context.WithCancel(t.Context())
	r, err := newRunner(o, w, giveUp)
	if err != nil {
		t.Fatal(err)
	}
	defer r.lag.stop()
	r.run = run
	full := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(full, evidence.WireFile)); err != nil {
		t.Fatal(err)
	}
	r.execute(ctx, run.Pending()[0], nil, full, "jobs/x")
	if r.failure == nil || ctx.Err() == nil {
		t.Errorf("failure %v, context %v", r.failure, ctx.Err())
	}
	r.confirm(ctx, time.Minute)
	r.one(ctx, run.Pending()[0], false)
	if len(run.Results()) != 0 || len(w.started) != 0 || on.Load() != 0 {
		t.Errorf("%d results, started %v, %d parts on", len(run.Results()), w.started, on.Load())
	}
}
