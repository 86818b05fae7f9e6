package judge

import (
	"fmt"
	"math"
)

// Rate is how often something succeeded in independent trials.
type Rate struct {
	Trials, Successes int
}

// Add counts one more trial.
func (r *Rate) Add(success bool) {
	r.Trials++
	if success {
		r.Successes++
	}
}

// Interval is where the true rate lies with a confidence of 95 % (Wilson's score interval, 1927).
func (r Rate) Interval() (low, high float64) {
	if r.Trials == 0 {
		return 0, 1
	}
	const z = 1.96
	n, p := float64(r.Trials), float64(r.Successes)/float64(r.Trials)
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, middle-half), min(1, middle+half)
}

func (r Rate) String() string {
	low, high := r.Interval()
	return fmt.Sprintf("%d of %d (%.0f %% to %.0f %% with a confidence of 95 %%)", r.Successes, r.Trials, low*100, high*100)
}

// Clear reports whether the trials so far decide between a rate of at least good and one of at most bad, with a chance of 1 in 100 of
// being wrong either way, and which it is (sequential probability ratio test, Wald 1945). A rate between the two may stay undecided for
// long.
func (r Rate) Clear(good, bad float64) (decided, isGood bool) {
	good, bad = min(max(good, 0.02), 0.999), min(max(bad, 0.01), 0.99)
	failures := float64(r.Trials - r.Successes)
	ratio := float64(r.Successes)*math.Log(bad/good) + failures*math.Log((1-bad)/(1-good))
	limit := math.Log(99)
	switch {
	case ratio >= limit:
		return true, false
	case ratio <= -limit:
		return true, true
	}
	return false, false
}
