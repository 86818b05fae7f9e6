package check

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/testbed"
)

// Execution is one run of a check on an open testbed.
type Execution struct {
	Bed       *testbed.Bed
	Reproduce string        // the command that runs just this again
	File      string        // where the events are, relative to the run folder
	Capture   string        // where the packets of the device's access link are, relative to the run folder, if it has one
	Limit     time.Duration // device time; 0: the check's own
	Progress  func(step string)
	Schedule  schedule.Schedule // of network faults; nil: the check draws one if it needs one
	Profiles  []string          // network profiles, instead of those that the product file names
	Shrink    int               // replays in which it may look for a smaller one that still fails
}

// Execute runs the check, heals the world and says what became of it. A panic of the check is an outcome of not-run, as is a check
// that neither found nor measured nor recorded anything about the part: nothing seen is not a pass.
func (c *Check) Execute(ctx context.Context, x Execution) evidence.Result {
	r := evidence.Result{Check: c.ID, Variant: x.Bed.Variant.Name}
	t := &T{Bed: x.Bed, Schedule: x.Schedule, Shrink: x.Shrink, Profiles: x.Profiles, check: c, reproduce: x.Reproduce, progress: x.Progress}
	if t.progress == nil {
		t.progress = func(string) {}
	}
	limit := x.Limit
	if limit == 0 {
		limit = c.Limit
	}
	bounded, cancel := x.Bed.Clock.Timeout(ctx, limit)
	err := c.guarded(bounded, t)
	timedOut := bounded.Err() != nil && ctx.Err() == nil
	cancel()
	events := x.Bed.Log.Since(0)
	seen, dropped := heard(events), x.Bed.Log.Dropped()
	x.Bed.Close()

	for i := range t.findings {
		for j := range t.findings[i].Evidence {
			ref := &t.findings[i].Evidence[j]
			*ref = ref.Framed(x.Capture, events)
			ref.File = x.File
		}
	}
	if t.more > 0 {
		last := &t.findings[len(t.findings)-1]
		last.Seen = fmt.Sprintf("%s; %d findings more are not listed", last.Seen, t.more)
	}
	r.Findings, r.Measurements = t.findings, t.measurements
	r.Networks, r.Artefacts, r.Calendar, r.Loads = t.networks, t.artefacts, t.breaks, t.loads
	switch {
	case ctx.Err() != nil:
		r.Outcome, r.Reason, r.Findings = evidence.NotRun, "interrupted", nil
	case len(r.Findings) > 0:
		r.Outcome = evidence.Fail // what was seen stands, even if the check could not go on
		if err != nil {
			r.Reason = "the check could not be finished: " + err.Error()
		}
	case timedOut && (err == nil || errors.Is(err, context.DeadlineExceeded)): // also one that took the end of its time for an answer
		r.Outcome, r.Reason = evidence.NotRun, fmt.Sprintf("not decided within %s", limit)
		r.Hint = "allow more time with --timeout"
	case err != nil:
		r.Outcome, r.Reason, r.Hint = explain(err)
	case !seen:
		r.Outcome, r.Reason = evidence.NotRun, "nothing was seen of the part under test"
		r.Hint = "see that it starts and reaches the address it was given"
	case dropped > 0:
		r.Outcome, r.Reason = evidence.NotRun, fmt.Sprintf("the part said more than is recorded: what held so far may not hold for the %d events that came after", dropped)
		r.Hint = "look in the job's evidence at what it says so much of"
	default:
		r.Outcome = evidence.Pass
	}
	return r
}

// guarded turns a panic into an error.
func (c *Check) guarded(ctx context.Context, t *T) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.Log.Add(evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf("panic: %v\n%s", p, debug.Stack())})
			err = fmt.Errorf("shakedown's own fault: the check panicked: %v", p)
		}
	}()
	return c.Run(ctx, t)
}

// heard reports whether any event came from the part under test.
func heard(events []evidence.Event) bool {
	for _, e := range events {
		switch e.Kind {
		case evidence.Open, evidence.Refused, evidence.Hello, evidence.Bytes, evidence.In, evidence.Bad, evidence.Console, evidence.Contents:
			return true
		}
	}
	return false
}
