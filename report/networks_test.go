package report

import (
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

func TestKept(t *testing.T) {
	for want, l := range map[string]evidence.Lived{
		"kept":    {Trials: 8, Successes: 8, Low: 0.68, High: 1, Promised: 0.9},
		"broken":  {Trials: 3, Successes: 0, Low: 0, High: 0.56, Promised: 0.9},
		"untried": {Note: "only a proxy leads out"},
		"open":    {Trials: 12, Successes: 10, Low: 0.55, High: 0.95, Promised: 0.9},
	} {
		if got := (lived{Lived: l}).Kept(); got != want {
			t.Errorf("%d of %d: %s, want %s", l.Successes, l.Trials, got, want)
		}
	}
}

func TestNetworksAreGrouped(t *testing.T) {
	result := func(profiles ...string) evidence.Result {
		var r evidence.Result
		for _, p := range profiles {
			r.Networks = append(r.Networks, evidence.Lived{Profile: p})
		}
		return r
	}
	v := viewer{cases: []verdict.Case{
		{Variant: "a", Results: []evidence.Result{result("lte-m", "nb-iot")}},
		{Variant: "b", Results: []evidence.Result{result("lte-m")}},
	}}
	got := v.networks()
	if len(got) != 2 || len(got[0].Lines) != 2 || got[0].Lines[1].Variant != "b" || len(got[1].Lines) != 1 {
		t.Errorf("got %+v", got)
	}
}
