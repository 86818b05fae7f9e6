package checks_test

import (
	"slices"
	"testing"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference"
)

// Laws 2 and 3 of the planted-defect matrix, in small: every check finds the first defect that names it, on the first variant, or on
// one of all where that one cannot show it. shakedown selftest runs the whole matrix, with law 1: the clean product again and again.
func TestEveryCheckFindsADefect(t *testing.T) {
	if testing.Short() {
		t.Skip("the matrix keeps time, which the race detector does not")
	}
	t.Parallel()
	p, err := product.Load("reference", reference.File(), known())
	if err != nil {
		t.Fatal(err)
	}
	one := *p
	one.Variants = p.Variants[:1]
	fast := one
	fast.Declared.Speed *= 2
	needAll := []string{"apidrift.broker-version-drift", "protocol.coap-dtls-frag"}
	longest := []string{"environment.power-cut-all", "fault.reconnect-first-retry"}
	t.Run("first variant", func(t *testing.T) {
		t.Parallel()
		findDefects(t, campaign.Options{Product: &one, Skip: slices.Concat(needAll, longest)})
	})
	t.Run("first variant, twice as fast", func(t *testing.T) { t.Parallel(); findDefects(t, campaign.Options{Product: &fast, Only: longest}) })
	t.Run("all variants", func(t *testing.T) { t.Parallel(); findDefects(t, campaign.Options{Product: p, Only: needAll}) })
}

// findDefects plants each defect once.
func findDefects(t *testing.T, o campaign.Options) {
	o.Risks, o.Incidents, o.Kinds, o.Seed, o.Parallel = checks.All(), checks.Incident, driver.Kinds{"reference": reference.Kind()}, 1, 192
	m, err := campaign.Selftest(t.Context(), o, firstDefects(), 0, t.TempDir(), silent{})
	if err != nil {
		t.Fatal(err)
	}
	for _, miss := range m.Missed {
		t.Errorf("law 2: %s does not find %s: %s", miss.Check, miss.Defect, miss.Reason)
	}
	for _, id := range m.Idle {
		t.Errorf("law 3: %s finds no planted defect", id)
	}
}

// firstDefects leaves to each defect the checks that no earlier one names.
func firstDefects() []campaign.Planted {
	var all []campaign.Planted
	taken := map[string]bool{}
	for _, d := range reference.Defects() {
		planted := campaign.Planted{ID: d.ID, What: d.What}
		for _, id := range d.FoundBy {
			if !taken[id] {
				taken[id] = true
				planted.FoundBy = append(planted.FoundBy, id)
			}
		}
		if len(planted.FoundBy) > 0 {
			all = append(all, planted)
		}
	}
	return all
}

// Every defect says which checks must find it, and they exist.
func TestDefectsNameTheirChecks(t *testing.T) {
	ids := known().Checks
	seen := map[string]bool{}
	for _, d := range reference.Defects() {
		if seen[d.ID] {
			t.Errorf("defect %s is there twice", d.ID)
		}
		seen[d.ID] = true
		if len(d.FoundBy) == 0 || d.What == "" {
			t.Errorf("defect %s names no check that must find it, or does not say what it is", d.ID)
		}
		for _, id := range d.FoundBy {
			if !slices.Contains(ids, id) {
				t.Errorf("defect %s is found by %q, which is no check", d.ID, id)
			}
		}
	}
	if len(seen) < 50 {
		t.Errorf("%d defects, want at least 50", len(seen))
	}
}
