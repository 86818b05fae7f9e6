package fault

import (
	"testing"

	"github.com/shakedown-test/shakedown/fleet/count"
)

func TestJudgeTenancy(t *testing.T) {
	if found := judgeTenancy(count.Totals{Arrived: 100, Foreign: 3, Duplicates: 2}, "", 0, 1); len(found) > 0 {
		t.Errorf("nothing leaked: %v", found)
	}
	if found := judgeTenancy(count.Totals{Arrived: 100, Leaked: 1}, "", 0, 1); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}
