package load

import (
	"fmt"
	"testing"
	"time"
)

func TestJudgeSpread(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		apart  time.Duration // of the fifth attempts of unit n and n+1
		units  int
		others int // units that made fewer attempts
		found  bool
	}{
		"in step":             {20 * time.Millisecond, 20, 0, true},
		"six in step":         {100 * time.Millisecond, 6, 0, true},
		"nine in ten in step": {58 * time.Millisecond, 20, 0, true},
		"spread":              {200 * time.Millisecond, 20, 0, false},
		"six spread":          {900 * time.Millisecond, 6, 0, false},
		"some gave up":        {20 * time.Millisecond, 12, 8, true},
	} {
		t.Run(name, func(t *testing.T) {
			times := map[string][]time.Time{}
			for n := range c.units + c.others {
				var own []time.Time
				for k := range round {
					own = append(own, start.Add(time.Duration(k)*7*time.Second+time.Duration(n)*c.apart))
				}
				if n >= c.units {
					own = own[:2]
				}
				times[fmt.Sprint(n)] = own
			}
			if found := judgeSpread(times, c.units+c.others, time.Second); len(found) > 0 != c.found {
				t.Errorf("found %v", found)
			}
		})
	}
}
