package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// PositionIndependent looks for network programs that lie at the same address on every unit.
var PositionIndependent = &check.Check{
	ID:       "security.position-independent",
	Title:    "Runs its network programs at addresses that nobody can foresee",
	Why:      "At a fixed address an attack that works on one unit works on all of them at the first try.",
	Pass:     "every program that takes connections is position-independent, where the tool chains of its architecture make such",
	Fix:      "Build with -fPIE and link with -pie.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-PIE"},
	Sources:      []string{"gABI: e_type is ET_DYN", "GCC: -pie"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("network programs of which that can be expected", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		var all []artefact.Binary
		for _, b := range artefact.Listeners(f.Binaries) {
			if b.Expected().PIE {
				all = append(all, b)
				continue
			}
			t.Record("%s is left out: %s", b.Node.Path(), b.Expected().Why)
		}
		return len(all), judgePositions(all)
	}),
}

// judgePositions finds programs that are linked to a fixed address.
func judgePositions(all []artefact.Binary) []check.Finding {
	var fixed []artefact.Binary
	for _, b := range all {
		if !b.PIE {
			fixed = append(fixed, b)
		}
	}
	if len(fixed) == 0 {
		return nil
	}
	return []check.Finding{{
		Title: fmt.Sprintf("Runs %d of %d network programs at a fixed address", len(fixed), len(all)),
		Seen:  fmt.Sprintf("not position-independent, and takes connections: %s", check.Places(artefact.Nodes(fixed))),
	}}
}
