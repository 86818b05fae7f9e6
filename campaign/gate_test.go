package campaign

import (
	"context"
	"testing"
	"time"
)

// While the machine lags the gate narrows, at most once in a while and never below two; when it keeps time, it opens job by job.
func TestGate(t *testing.T) {
	var late time.Duration
	g := newGate(8, func(time.Time) time.Duration { return late }, 25*time.Millisecond)
	enter := func(n int) {
		t.Helper()
		for range n {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	enter(4)
	full, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if g.enter(full) == nil {
		t.Error("a fifth job got in, though the gate starts at half")
	}
	late = time.Second
	g.leave() // narrows to two thirds of four
	g.leave() // too soon to narrow again
	if g.now != 2 {
		t.Errorf("%d may run on a machine that lags, want 2", g.now)
	}
	g.shrunk = time.Time{}
	g.leave()
	if g.now != 2 {
		t.Errorf("%d may run, want at least 2", g.now)
	}
	late = 0
	for range 20 {
		enter(1)
		g.leave()
	}
	if g.now != 8 {
		t.Errorf("%d may run on a quiet machine, want 8", g.now)
	}
}

// A gate that narrowed opens again for those who wait, though no job ends; not while the machine lags.
func TestGateOpensInTime(t *testing.T) {
	late := time.Second
	g := newGate(4, func(time.Time) time.Duration { return late }, 25*time.Millisecond)
	for range 2 {
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	soon, cancel := context.WithTimeout(t.Context(), 4*growth)
	defer cancel()
	if g.enter(soon) == nil {
		t.Error("a third job got in while the machine lagged")
	}
	late = 0
	if err := g.enter(t.Context()); err != nil || g.now != 3 {
		t.Errorf("%d may run, want 3 (%v)", g.now, err)
	}
}

func TestGateEndsWithItsContext(t *testing.T) {
	g := newGate(1, func(time.Time) time.Duration { return 0 }, 0)
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if g.enter(ctx) == nil {
		t.Error("a job got in though the campaign is over")
	}
}
