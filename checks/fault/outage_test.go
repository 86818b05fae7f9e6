package fault

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
)

// during is an ordeal with these attempts after a session, back in time.
func during(attempts []testbed.Attempt, change func(*ordeal)) ordeal {
	r := ordeal{
		outage:   outage{during: "in a test", running: true}.withDefaults(),
		attempts: attempts, tick: 8 * time.Millisecond, limit: time.Minute, backAfter: time.Second, last: 2 * len(attempts),
		healed: attempts[len(attempts)-1].Opened.Add(time.Second),
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestJudgeOrdeal(t *testing.T) {
	good := spaced(0, 0.7, 1.3, 3.1, 4.9, 12)
	exit := func(after int) func(*ordeal) {
		return func(r *ordeal) {
			at := r.attempts[after].Opened.Add(time.Millisecond)
			r.exits = []evidence.Event{{N: r.attempts[after].Last, At: at, Kind: evidence.Exit, Text: "exit status 1"}}
		}
	}
	for name, c := range map[string]struct {
		r    ordeal
		want []string // severity and title of each finding
	}{
		"good":                     {during(good, nil), nil},
		"one attempt, long pause":  {during(spaced(0, 200), nil), nil},
		"none":                     {during(spaced(0, repeated(0.01, 25)...), nil), []string{"blocker Reconnects without a pause in a test"}},
		"fast":                     {during(spaced(0, repeated(1, 25)...), nil), []string{"blocker Reconnects more than 20 times a minute in a test"}},
		"constant":                 {during(spaced(0, repeated(5, 5)...), nil), []string{" Waits the same 5.0 s before every attempt in a test"}},
		"constant, but rare":       {during(spaced(0, repeated(60, 3)...), nil), []string{"minor Waits the same 60.0 s before every attempt in a test"}},
		"constant, rare is enough": {during(spaced(0, repeated(60, 3)...), func(r *ordeal) { r.sparse = true }), nil},
		"linear":                   {during(spaced(0, 2, 4, 6, 8, 10), nil), []string{" Waits only 2.0 s longer each time in a test"}},
		"no growth":                {during(spaced(0, 3, 6, 2, 5, 4, 6, 3, 4, 5), nil), []string{"major Its pauses do not grow in a test"}},
		"no chance":                {during(spaced(0, 1, 2, 4, 8, 16, 32), nil), []string{"minor Doubles its pauses exactly, without chance, in a test"}},
		"stays away":               {during(good, func(r *ordeal) { r.restarted = true }), []string{"blocker Stays away after the fault is over"}},
		"exits at once": {
			during(good[:2], func(r *ordeal) { exit(1)(r); r.restarted = true }),
			[]string{"blocker Exits instead of trying again in a test"},
		},
		"exits at power-on": {
			during(good[:1], func(r *ordeal) { r.running = false; exit(0)(r); r.restarted = true }),
			[]string{"blocker Exits instead of trying again in a test"},
		},
		"restarts itself": {during(good, exit(3)), []string{"blocker Crashes after 3 failed attempts"}},
		"hangs": {during(good[:3], func(r *ordeal) {
			r.attempts = slices.Clone(r.attempts)
			r.attempts[2].Closed, r.healed = time.Time{}, r.attempts[2].Opened.Add(62*time.Second)
		}), []string{" Does not give up an attempt that gets no answer"}},
		"gives up late":     {during(spaced(90*time.Second, 0.7, 1.4, 3), nil), []string{" Does not give up an attempt that gets no answer"}},
		"doubles":           {during(spaced(0, 1, 2, 4, 8, 16, 32), nil), []string{"minor Doubles its pauses exactly, without chance, in a test"}},
		"doubles by chance": {during(spaced(0, 1, 2, 4, 8, 16, 32), func(r *ordeal) { r.chance = true }), nil},
		"in session at last": {during(good[:3], func(r *ordeal) {
			r.attempts = slices.Clone(r.attempts)
			r.attempts[2].Accepted, r.attempts[2].Closed, r.healed = noon, time.Time{}, noon.Add(time.Hour)
		}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range judgeOrdeal(c.r) {
				got = append(got, string(f.Severity)+" "+f.Title)
				if f.Expected == "" || f.Seen == "" || len(f.Evidence) == 0 {
					t.Errorf("%s: expected %q, seen %q, evidence %v", f.Title, f.Expected, f.Seen, f.Evidence)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeCap(t *testing.T) {
	const limit = time.Minute
	for name, c := range map[string]struct {
		pauses []float64
		open   float64 // s without an attempt after the last
		limit  time.Duration
		want   string // title; empty: no finding
	}{
		"grows to the cap":       {[]float64{1, 2, 4, 8, 16, 32, 60, 61, 58}, 0, limit, ""},
		"a random half of it":    {[]float64{.7, 1.2, 3.3, 5, 12, 25, 44, 31}, 0, limit, ""},
		"beyond it":              {[]float64{4, 16, 64, 256}, 0, limit, "Waits longer between attempts than declared"},
		"beyond it, not over":    {[]float64{4, 16, 64}, 75, limit, "Waits longer between attempts than declared"},
		"stops at 8 s":           {[]float64{1, 2, 4, 8, 8, 8, 8}, 0, limit, "Its pauses stop growing below 30 s"},
		"stops at 40 s":          {[]float64{10, 20, 40, 40, 40, 40}, 0, 5 * time.Minute, ""},
		"declared too long":      {[]float64{1, 2, 4}, 0, time.Hour, "Its declared reconnect_cap is too long"},
		"never waits in earnest": {repeated(0.01, 25), 0, limit, "Reconnects without a pause in a test"},
	} {
		t.Run(name, func(t *testing.T) {
			r := during(spaced(0, c.pauses...), func(r *ordeal) {
				r.healed = r.attempts[len(r.attempts)-1].Closed.Add(time.Duration(c.open * float64(time.Second)))
			})
			found := judgeCap(r, c.limit)
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || found[0].Title != c.want) {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
}

func TestJudgeTakeover(t *testing.T) {
	if found := judgeTakeover(during(spaced(time.Second, 1, 2, 4, 8, 16), nil)); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	found := judgeTakeover(during(spaced(time.Second, 1, 1, 1, 1, 1, 1, 1), nil))
	if len(found) != 1 || !strings.Contains(found[0].Seen, "7 connections in 13 s") {
		t.Errorf("found %v", found)
	}
}

func TestJudgeFirstRetry(t *testing.T) {
	short, late := drop{healthy: time.Minute, pause: 20 * time.Second}, drop{healthy: 3 * time.Minute, pause: 4 * time.Second}
	if found := judgeFirstRetry([]drop{short, late}, 0); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	if found := judgeFirstRetry([]drop{short}, 0); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}

func TestJudgeIntermittent(t *testing.T) {
	back, away := absence{how: "silence", back: time.Second}, absence{how: "a cut by FIN", stayed: true}
	exit := []evidence.Event{{N: 7, Kind: evidence.Exit, Text: "exit status 2"}}
	calm := spaced(time.Second, 1, 2, 4)
	for name, c := range map[string]struct {
		all      []absence
		exits    []evidence.Event
		attempts []testbed.Attempt
		want     string
	}{
		"returns":    {[]absence{back, back}, nil, calm, ""},
		"stays away": {[]absence{back, away}, nil, calm, "Stays away after a cut by FIN"},
		"exits":      {[]absence{back, away}, exit, calm, "Exits when its link comes and goes"},
		"storms":     {[]absence{back}, nil, spaced(0, repeated(0.1, 35)...), "Reconnects more than 30 times a minute while its link comes and goes"},
	} {
		t.Run(name, func(t *testing.T) {
			found := judgeIntermittent(c.all, c.exits, c.attempts, time.Minute)
			if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || found[0].Title != c.want) {
				t.Errorf("found %v, want %q", found, c.want)
			}
		})
	}
}

func TestJudgeVersionRefused(t *testing.T) {
	found := judgeVersionRefused(during(spaced(0, 0.7, 1.3, 3.1, 4.9, 12), nil))
	if len(found) != 1 || found[0].Severity != check.Info {
		t.Errorf("found %v", found)
	}
}
