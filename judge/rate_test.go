package judge

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		r         Rate
		low, high float64
	}{
		{Rate{0, 0}, 0, 1},
		{Rate{10, 10}, 0.722, 1},
		{Rate{10, 0}, 0, 0.278},
		{Rate{20, 10}, 0.299, 0.701},
		{Rate{100, 95}, 0.888, 0.978},
	} {
		low, high := c.r.Interval()
		if math.Abs(low-c.low) > 0.002 || math.Abs(high-c.high) > 0.002 {
			t.Errorf("%d of %d: %.3f to %.3f, want %.3f to %.3f", c.r.Successes, c.r.Trials, low, high, c.low, c.high)
		}
	}
}

func TestClear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, truth := range []float64{0.95, 0.4} {
		wrong, trials := 0, 0
		for range 2000 {
			var r Rate
			for {
				r.Add(rng.Float64() < truth)
				if decided, good := r.Clear(0.9, 0.5); decided {
					if good != (truth >= 0.9) {
						wrong++
					}
					break
				}
			}
			trials += r.Trials
		}
		if wrong > 40 || trials/2000 > 15 {
			t.Errorf("true rate %.2f: %d of 2000 wrong, %d trials on average", truth, wrong, trials/2000)
		}
	}
}
