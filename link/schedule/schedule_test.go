package schedule

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTextGoesRound(t *testing.T) {
	for seed := range uint64(200) {
		s := Draw(rand.New(rand.NewPCG(seed, 0)), 6, 2*time.Minute)
		got, err := Parse(s.String())
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("%s (-drawn +parsed):\n%s", s, diff)
		}
		if s.Lasts() > 2*time.Minute {
			t.Errorf("%s lasts %s", s, s.Lasts())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "want a time",
		"10s+5s":                "want a time",
		"10s+5s outage; soon x": "fault 2",
		"10s outage":            "how long",
		"10s+5s forget":         "takes no time",
		"10s+5s loss":           "an amount in %",
		"10s+5s outage 3":       "no amount",
		"10s+5s loss 200%":      "at most 100%",
		"10s+5s loss NaN":       "no amount",
		"10s+5s rain 3%":        "there is no fault",
		"-1s+5s outage":         "no time",
		"10s+9999h outage":      "no time",
		"1s+1s rate 0":          "at least 1 bit/s",
		strings.Repeat("1s forget;", 70) + "1s forget": "more than",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("10s+5s outage; 20s+30s loss 20%; 25s forget")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := Parse(text); err == nil {
			if _, err := Parse(s.String()); err != nil {
				t.Errorf("%q is written as %q, which does not parse: %v", text, s, err)
			}
		}
	})
}

func TestShrink(t *testing.T) {
	s := Draw(rand.New(rand.NewPCG(7, 0)), 10, time.Minute)
	s = append(s, Step{Kind: Outage, At: 10 * time.Second, For: 40 * time.Second})
	fails := func(_ context.Context, s Schedule) (bool, error) { // an outage of 4 s or more
		return slices.ContainsFunc(s, func(s Step) bool { return s.Kind == Outage && s.For >= 4*time.Second }), nil
	}
	got, asked, err := Shrink(t.Context(), s, 100, fails)
	if err != nil || got.String() != "0s+5s outage" {
		t.Errorf("shrunk to %q after %d, %v", got, asked, err)
	}
	got, asked, _ = Shrink(t.Context(), s, 3, fails)
	if failed, _ := fails(t.Context(), got); !failed || asked > 3 || len(got) >= len(s) {
		t.Errorf("with a budget of 3: %q after %d", got, asked)
	}
	gone := errors.New("gone")
	got, _, err = Shrink(t.Context(), s, 100, func(context.Context, Schedule) (bool, error) { return false, gone })
	if !errors.Is(err, gone) || len(got) != len(s) {
		t.Errorf("after an error: %q, %v", got, err)
	}
}

func TestRunUndoesEverything(t *testing.T) {
	clk := clock.New(200)
	log := evidence.NewLog(clk.Now, nil, false)
	w, err := internet.Open(internet.Config{Clock: clk, Log: log, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_, access, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	var s Schedule
	for i, k := range Kinds() {
		step := Step{Kind: k, At: time.Duration(i) * time.Second, Amount: known[k].mild}
		if !known[k].instant {
			step.For = 5 * time.Second
		}
		s = append(s, step)
	}
	if err := s.Run(t.Context(), clk, Place{w, w.Home(), access}); err != nil {
		t.Fatal(err)
	}
	short, cancel := clk.Timeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.Run(short, clk, Place{w, w.Home(), access}); err == nil {
		t.Error("a run that was ended early has no error")
	}
	began, healed := 0, 0
	for _, e := range log.Since(0) {
		switch e.Kind {
		case evidence.Impair:
			began++
		case evidence.Heal:
			healed++
		}
	}
	if began == 0 || began != healed {
		t.Errorf("%d impairments began, %d were undone", began, healed)
	}
}
