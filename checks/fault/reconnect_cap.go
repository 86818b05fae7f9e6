package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// ReconnectCap stays away until the pauses have grown to their limit.
var ReconnectCap = &check.Check{
	ID:    "fault.reconnect-cap",
	Title: "Keeps its pauses below the declared limit, and returns in time after a long outage",
	Why: "After an outage of an hour a device whose pauses doubled without a limit needs another hour to notice that it is " +
		"over. One whose limit is too low keeps an attack up for as long as the outage lasts.",
	Pass: "no pause longer than the declared reconnect_cap and a tenth, which lies between 30 s and 15 min, until 3 pauses of " +
		"more than 0.4 of it, or 4 alike, were seen; those alike are 30 s or more; back within twice the cap of the healing",
	Fix:          "let the pauses double up to a cap between 30 s and 15 min, and declare it",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-072"},
	Rows:         []string{"mqtt.backoff.cap"},
	Sources: []string{
		"AWS IoT Device Advisor, test MQTT Long Server Disconnect (other criterion: back after an absence of up to 120 " +
			"minutes; no limit for a pause)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"reconnect_cap"}},
	Impact:  check.Disturbs,
	Typical: 4 * time.Minute,
	Limit:   3 * time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		limit := t.Device.Cap()
		return outage{
			during: "while the server is away for long", running: true,
			begin:  acceptsAndCloses,
			within: 8*limit + 2*time.Minute,
			enough: func(r *ordeal) bool {
				return capped(r.attempts, limit) || flat(r.attempts) || classify(r.attempts, r.tick) == storm
			},
			judge: func(r ordeal) []check.Finding { return judgeCap(r, limit) },
		}.run(ctx, t)
	},
}

const (
	leastCap = 30 * time.Second
	mostCap  = 15 * time.Minute
)

// capped reports whether the pauses have reached the limit, or gone beyond it.
func capped(attempts []testbed.Attempt, limit time.Duration) bool {
	near := 0
	for _, p := range testbed.Gaps(attempts) {
		if p > limit*11/10 {
			return true
		}
		if p > limit*2/5 {
			near++
		}
	}
	return near >= 3
}

// flat reports whether the pauses have stopped growing: the last four are alike.
func flat(attempts []testbed.Attempt) bool {
	p := testbed.Gaps(attempts)
	if len(p) < few {
		return false
	}
	p = p[len(p)-4:]
	return float64(slices.Max(p)) < 1.3*float64(slices.Min(p))
}

func judgeCap(r ordeal, limit time.Duration) []check.Finding {
	if classify(r.attempts, r.tick) == storm {
		return judgePattern(r)
	}
	gaps := testbed.Gaps(r.attempts)
	if n := len(r.attempts); n > 0 && !r.attempts[n-1].Closed.IsZero() {
		if last := r.healed.Sub(r.attempts[n-1].Closed); n < 2 || last > slices.Max(gaps) {
			gaps = append(gaps, last) // at least so long
		}
	}
	longest := time.Duration(0)
	for _, g := range gaps {
		longest = max(longest, g)
	}
	f := check.Finding{Seen: fmt.Sprintf("pauses of %s", seconds(gaps)), Evidence: r.evidence("the attempts")}
	switch {
	case longest > limit*11/10:
		f.Title = "Waits longer between attempts than declared"
		f.Expected = fmt.Sprintf("no pause longer than the declared %.0f s", limit.Seconds())
		f.Seen = fmt.Sprintf("a pause of %.0f s or more; pauses of %s", longest.Seconds(), seconds(gaps))
	case limit > mostCap:
		f.Title = "Its declared reconnect_cap is too long"
		f.Expected = "a cap between 30 s and 15 min"
		f.Seen = fmt.Sprintf("declared: %.0f s", limit.Seconds())
	case flat(r.attempts) && longest < leastCap:
		f.Severity = check.Major
		f.Title = "Its pauses stop growing below 30 s"
		f.Expected = "a cap between 30 s and 15 min"
	default:
		return nil
	}
	return []check.Finding{f}
}
