package campaign

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/verdict"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// bench is a product with one device and three checks, of which one cannot run.
func bench(instances int) Options {
	needs := check.Needs{Real: product.Device}
	return Options{
		Product: &product.Product{
			Parts:    []product.Part{{Name: "lamp", Role: product.Device, Driver: "plug"}},
			Variants: []product.Variant{{Name: "one", Share: 1}},
			Declared: product.Declared{Speed: 10},
			Exclude:  []product.Exclusion{{Risk: "ota", Reason: "no updates"}},
		},
		Kinds: driver.Kinds{"plug": {Name: "plug", Instances: instances}},
		Risks: []check.Risk{
			{ID: "fault", Title: "Faults", Checks: []*check.Check{
				{ID: "fault.a", Needs: needs, Typical: 10 * time.Second},
				{ID: "fault.b", Needs: needs, Typical: 20 * time.Second, Severity: check.Blocker},
				{ID: "fault.c", Severity: check.Minor, Needs: check.Needs{Real: product.Device, Declares: []string{"keep_alive"}}},
				{ID: "fault.d", Needs: check.Needs{Real: product.App}},
			}},
			{ID: "ota", Title: "Updates"},
		},
		Incidents: func(string) (evidence.Incident, bool) { return evidence.Incident{}, false },
		Parallel:  4,
	}
}

func TestForesee(t *testing.T) {
	o := bench(0)
	plan, err := Plan(o, noon)
	if err != nil {
		t.Fatal(err)
	}
	two, three := 2.0, 3.0 // constants would be rounded otherwise
	want := Forecast{
		Parallel: 4, CanRun: 2, Seconds: 2, Best: verdict.ReadyWithRisks,
		Risks: []RiskForecast{
			{ID: "fault", Title: "Faults", Checks: []string{"fault.a", "fault.b"}, Jobs: 2, Seconds: 2, Uncovered: 1 - two/three},
			{ID: "ota", Title: "Updates", Excluded: "no updates", Checks: []string{}, Uncovered: 1},
		},
		Gaps: []Gap{
			{Outcome: evidence.NotRun, Reason: "not declared: keep_alive", Hint: "declare keep_alive in the product file; see docs/product-file.md", Checks: []string{"fault.c"}, Jobs: 1},
			{Outcome: evidence.NotApplicable, Reason: "the product file names no app", Checks: []string{"fault.d"}, Jobs: 1},
		},
	}
	got := Foresee(o, plan, noon)
	got.Because = nil // sentences of package verdict
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestForeseeOneAtATime(t *testing.T) {
	o := bench(1)
	plan, err := Plan(o, noon)
	if err != nil {
		t.Fatal(err)
	}
	if got := Foresee(o, plan, noon).Seconds; got != 3 {
		t.Errorf("two jobs of 1 s and 2 s on a part that runs one at a time: %v s, want 3", got)
	}
}
