package check_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

// idle is the driver of a part that does nothing.
type idle struct{}

func (idle) Start(context.Context) error { return nil }
func (idle) Stop(context.Context) error  { return nil }
func (idle) Close() error                { return nil }

// idleBed is a testbed with such a part.
func idleBed(t *testing.T) *testbed.Bed {
	t.Helper()
	clk := clock.New(1)
	authority, err := pki.New(clk.Now)
	if err != nil {
		t.Fatal(err)
	}
	bed, err := testbed.Open(testbed.Config{
		Product: &product.Product{
			Parts: []product.Part{{Name: "lamp", Role: product.Device, Driver: "idle"}},
			Links: []product.Link{{Name: "up", From: "lamp", To: "cloud", Protocol: product.MQTT}},
		},
		Real: product.Device, Clock: clk, Log: evidence.NewLog(clk.Now, nil, false), PKI: authority, Dir: t.TempDir() + "/state",
		Kinds: driver.Kinds{"idle": {Name: "idle", Open: func(driver.Env) (driver.Driver, error) { return idle{}, nil }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bed.Close)
	return bed
}

// heard notes something that came from the part.
func heard(t *check.T) { t.Log.Add(evidence.Event{Kind: evidence.Open, Conn: 1}) }

func TestExecute(t *testing.T) {
	t.Parallel()
	find := func(t *check.T) { t.Find(check.Finding{Title: "broken"}) }
	tests := []struct {
		name           string
		run            func(ctx context.Context, t *check.T) error
		outcome        check.Outcome
		findings       int
		reason, hinted string // what they contain
	}{
		{
			"pass", func(_ context.Context, t *check.T) error { heard(t); return nil },
			evidence.Pass, 0, "", "",
		},
		{
			"nothing seen", func(_ context.Context, t *check.T) error { t.Step("look"); t.Record("nothing"); return nil },
			evidence.NotRun, 0, "nothing was seen of the part", "starts",
		},
		{
			"finding", func(_ context.Context, t *check.T) error { heard(t); find(t); return nil },
			evidence.Fail, 1, "", "",
		},
		{
			"finding of a silent part", func(_ context.Context, t *check.T) error { find(t); return nil },
			evidence.Fail, 1, "", "",
		},
		{
			"finding, then an error", func(_ context.Context, t *check.T) error { find(t); return errors.New("pipe broke") },
			evidence.Fail, 1, "could not be finished: pipe broke", "",
		},
		{
			"finding, then a panic", func(_ context.Context, t *check.T) error { find(t); panic("ouch") },
			evidence.Fail, 1, "panicked: ouch", "",
		},
		{
			"panic", func(_ context.Context, t *check.T) error { heard(t); panic("ouch") },
			evidence.NotRun, 0, "shakedown's own fault: the check panicked: ouch", "",
		},
		{
			"error", func(_ context.Context, t *check.T) error { heard(t); return errors.New("pipe broke") },
			evidence.NotRun, 0, "pipe broke", "",
		},
		{
			"not applicable", func(context.Context, *check.T) error { return check.NotApplicable("it has no %s", "wings") },
			evidence.NotApplicable, 0, "it has no wings", "",
		},
		{
			"not run", func(context.Context, *check.T) error { return check.NotRun("plug it in", "no power") },
			evidence.NotRun, 0, "no power", "plug it in",
		},
		{
			"time-out", func(ctx context.Context, t *check.T) error { heard(t); <-ctx.Done(); return ctx.Err() },
			evidence.NotRun, 0, "not decided within 1s", "--timeout",
		},
		{
			"time-out taken for an answer", func(ctx context.Context, t *check.T) error { heard(t); <-ctx.Done(); return nil },
			evidence.NotRun, 0, "not decided within 1s", "--timeout",
		},
		{
			"finding, then the time-out", func(ctx context.Context, t *check.T) error { find(t); <-ctx.Done(); return ctx.Err() },
			evidence.Fail, 1, "deadline exceeded", "",
		},
		{"a flood of findings", func(_ context.Context, t *check.T) error {
			for range 1005 {
				find(t)
			}
			return nil
		}, evidence.Fail, 1000, "", ""},
		{"more than is recorded", func(_ context.Context, t *check.T) error {
			for t.Log.Dropped() < 7 {
				t.Log.Add(evidence.Event{Kind: evidence.In})
			}
			return nil
		}, evidence.NotRun, 0, "7 events that came after", "evidence"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bed := idleBed(t)
			undone := false
			c := &check.Check{
				ID: "fault.a", Pass: "it works", Severity: check.Minor, Limit: time.Second,
				Run: func(ctx context.Context, t *check.T) error {
					t.Impair(func() { undone = true })
					return tt.run(ctx, t)
				},
			}
			r := c.Execute(t.Context(), check.Execution{Bed: bed, File: "jobs/a/wire.jsonl", Reproduce: "again"})
			if r.Outcome != tt.outcome || len(r.Findings) != tt.findings || !strings.Contains(r.Reason, tt.reason) || !strings.Contains(r.Hint, tt.hinted) {
				t.Errorf("got %+v", r)
			}
			if (r.Reason == "") != (tt.reason == "") {
				t.Errorf("reason %q", r.Reason)
			}
			if !undone {
				t.Error("the impairment was not undone")
			}
			for _, f := range r.Findings {
				if f.Severity != check.Minor || f.Expected != "it works" || f.Reproduce != "again" || len(f.Evidence) != 1 || f.Evidence[0].File != "jobs/a/wire.jsonl" {
					t.Errorf("finding %+v", f)
				}
			}
		})
	}
}

func TestExecuteInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := &check.Check{ID: "fault.a", Limit: time.Minute, Run: func(ctx context.Context, t *check.T) error {
		t.Find(check.Finding{Title: "half seen"})
		cancel()
		return nil
	}}
	if r := c.Execute(ctx, check.Execution{Bed: idleBed(t)}); r.Outcome != evidence.NotRun || r.Reason != "interrupted" || len(r.Findings) != 0 {
		t.Errorf("got %+v", r)
	}
}
