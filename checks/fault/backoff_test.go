package fault

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// spaced makes attempts with these pauses, in seconds, between them; each lasts for lasting.
func spaced(lasting time.Duration, pauses ...float64) []testbed.Attempt {
	at := noon
	all := []testbed.Attempt{{Conn: 1, First: 0, Last: 1, Opened: at, Closed: at.Add(lasting), ClosedBy: "we fin"}}
	for i, p := range pauses {
		at = at.Add(lasting + time.Duration(p*float64(time.Second)))
		all = append(all, testbed.Attempt{Conn: i + 2, First: 2*i + 2, Last: 2*i + 3, Opened: at, Closed: at.Add(lasting), ClosedBy: "we fin"})
	}
	return all
}

func repeated(p float64, n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = p
	}
	return all
}

func TestClassify(t *testing.T) {
	const tick = 8 * time.Millisecond
	for name, c := range map[string]struct {
		lasting time.Duration
		pauses  []float64
		want    pattern
	}{
		"nothing yet":                    {0, nil, undecided},
		"none":                           {0, repeated(0.001, 21), storm},
		"none, too early to say":         {0, repeated(0.001, 4), undecided},
		"every 2 s for a minute":         {0, repeated(2, 21), storm},
		"21 retries in 60 s, unlike":     {0, []float64{1, 4, 2, 5, 1, 4, 2, 5, 1, 4, 2, 5, 1, 4, 2, 5, 1, 1, 1, 1, 1}, storm},
		"every 2 s, so far":              {0, repeated(2, 9), undecided},
		"a tenth of a second, doubled":   {0, []float64{0.1, 0.25, 0.4, 0.9, 1.5, 3.5, 6, 14}, growing},
		"noise that looks like growth":   {0, []float64{0.05, 0.06, 0.05, 0.15, 0.2, 0.3}, undecided},
		"every 5 s":                      {0, repeated(5, 5), constant},
		"every 5 s, four times":          {0, repeated(5, 4), undecided},
		"every 10 s, a tenth of chance":  {0, []float64{10, 9.3, 10.8, 9.9, 10.4}, constant},
		"every minute":                   {0, repeated(60, 3), constant},
		"2 s longer each time":           {0, []float64{2, 4, 6, 8, 10}, linear},
		"2 s longer, measured badly":     {0, []float64{2.01, 4.02, 6.01, 8.03, 10}, linear},
		"chance without growth":          {0, []float64{3, 6, 2, 5, 4, 6, 3, 4, 5}, level},
		"chance without growth, so far":  {0, []float64{3, 6, 2, 5, 4, 6}, undecided},
		"a random half":                  {0, []float64{0.7, 1.3, 3.1, 4.9, 12}, growing},
		"a random half, too early":       {0, []float64{0.7, 1.3, 3.1, 4.9}, undecided},
		"full jitter, luckily":           {0, []float64{0.3, 1.5, 0.9, 6.2, 3, 9}, growing},
		"full jitter, unluckily":         {0, []float64{0.9, 1.9, 3.7, 0.8, 1.1}, undecided},
		"full jitter, in the end":        {0, []float64{0.9, 1.9, 3.7, 0.8, 1.1, 20, 50}, growing},
		"half as long again each time":   {0, []float64{1.1, 1.4, 2.4, 3.2, 5.3, 7.7, 11}, growing},
		"doubling with a tenth":          {0, []float64{1.05, 1.9, 4.3, 7.6, 16.9}, growing},
		"exact doubling, five":           {0, []float64{1, 2, 4, 8, 16}, undecided},
		"exact doubling":                 {0, []float64{1, 2, 4, 8, 16, 32}, doubling},
		"exact doubling, measured badly": {0, []float64{1.012, 2.008, 4.01, 8.02, 16.01, 32.02}, doubling},
		"exact doubling to a cap":        {0, []float64{1, 2, 4, 8, 10, 10}, doubling},
		"two exact doublings, then not":  {0, []float64{1, 2, 4, 7, 15, 26}, growing},
		"at once, then growing":          {0, []float64{0.05, 1.2, 1.8, 3.5, 9, 13}, growing},
		"two at a time":                  {0, []float64{0, 1.2, 0, 1.8, 0, 3.5, 0, 9, 0, 17}, growing},
		"two at a time, without growth":  {0, []float64{0, 8, 0, 8, 0, 8, 0, 8, 0, 8}, constant},
		"long attempts":                  {20 * time.Second, []float64{0.6, 1.7, 3.1}, growing},
		"long attempts, too early":       {15 * time.Second, []float64{0.6, 1.7}, undecided},
		"long attempts, no growth":       {15 * time.Second, []float64{1, 1, 1, 1, 1}, constant},
		"short sessions, always 1 s":     {100 * time.Millisecond, repeated(1, 22), storm},
		"half a minute at once":          {0, []float64{31, 45, 38}, long},
		"three, then half a minute":      {0, []float64{3, 24, 41}, growing},
	} {
		t.Run(name, func(t *testing.T) {
			if got := classify(spaced(c.lasting, c.pauses...), tick); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestClassifyIsFair plays the usual good back-offs many times: none may end in anything but growth, nor take more than nine pauses.
func TestClassifyIsFair(t *testing.T) {
	const runs = 20000
	step := func(k int) float64 { return min(float64(int(1)<<k), 60) }
	for name, c := range map[string]struct {
		pause func(r *rand.Rand, k int, before float64) float64
		bad   int // of runs that may be judged otherwise by chance
	}{
		"a random half":     {func(r *rand.Rand, k int, _ float64) float64 { return step(k) * (0.5 + 0.5*r.Float64()) }, 2},
		"a random fifth":    {func(r *rand.Rand, k int, _ float64) float64 { return step(k) * (0.9 + 0.2*r.Float64()) }, 100},
		"factor 1.5, tenth": {func(r *rand.Rand, k int, b float64) float64 { return max(1, b*1.5) * (0.95 + 0.1*r.Float64()) }, 2},
		"full jitter":       {func(r *rand.Rand, k int, _ float64) float64 { return step(k) * r.Float64() }, 200},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			others := map[pattern]int{}
			bad := 0
			for range runs {
				var p []float64
				got := undecided
				for k := 0; got == undecided && k < 12; k++ {
					before := 0.0
					if k > 0 {
						before = p[k-1]
					}
					p = append(p, c.pause(r, k, before))
					got = classify(spaced(0, p...), 80*time.Millisecond) // a tick at ten times the speed
				}
				if got != growing && got != long {
					others[got]++
					bad++
				}
			}
			if bad > c.bad {
				t.Errorf("%d of %d runs judged otherwise: %v", bad, runs, others)
			}
		})
	}
}

func TestPauses(t *testing.T) {
	for _, c := range []struct {
		gaps []float64
		want string
	}{
		{[]float64{1, 2}, "[1s 2s]"},
		{[]float64{0, 0, 1, 0, 0, 2}, "[1s 2s]"},
		{[]float64{0, 0, 0, 0, 0, 0}, "[0s 0s]"},
	} {
		if got := fmt.Sprint(pauses(spaced(0, c.gaps...))); got != c.want {
			t.Errorf("%v: got %s, want %s", c.gaps, got, c.want)
		}
	}
}
