package environment

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

func TestJudgeLife(t *testing.T) {
	network := product.Network{Profile: "lte-m", ConnectWithin: product.Duration(time.Minute), CommandWithin: product.Duration(time.Minute), Success: 0.9}
	for name, c := range map[string]struct {
		trials, successes int
		found             bool
	}{
		"all":           {8, 8, false},
		"one failed":    {12, 11, false},
		"none":          {3, 0, true},
		"half":          {12, 6, true},
		"two of twelve": {12, 10, false}, // 10 of 12 may well be a rate of 90 %
	} {
		t.Run(name, func(t *testing.T) {
			l := life{network: network, rate: judge.Rate{Trials: c.trials, Successes: c.successes}}
			for range c.trials - c.successes {
				l.days = append(l.days, day{note: "no session within 1m0s"})
			}
			found := judgeLife(l)
			if (len(found) > 0) != c.found {
				t.Errorf("found %v", found)
			}
			for _, f := range found {
				if f.Expected == "" || f.Seen == "" || f.Reproduce == "" {
					t.Errorf("incomplete: %+v", f)
				}
			}
		})
	}
}
