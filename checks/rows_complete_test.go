package checks_test

import (
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/checks"
)

func TestEveryRowIsCarriedOut(t *testing.T) {
	by := map[string][]string{}
	for _, risk := range checks.All() {
		for _, c := range risk.Checks {
			for _, id := range c.Rows {
				by[id] = append(by[id], c.ID)
			}
		}
	}
	for _, r := range checks.Rows() {
		switch {
		case len(by[r.ID]) == 0 && r.NotBuilt == "":
			t.Errorf("%s: no check carries it out, and rows.csv does not say why", r.ID)
		case len(by[r.ID]) > 0 && r.NotBuilt != "":
			t.Errorf("%s: the register says it is not built, but %s carries it out", r.ID, strings.Join(by[r.ID], ", "))
		}
	}
}
