package security

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// Changes tells what is new since another version.
var Changes = &check.Check{
	ID:       "security.changes",
	Title:    "Gains no way in that its release notes do not tell of",
	Why:      "A debug service or a key that a developer left in shows first as a difference to the release before. A new way in that nobody decided on is found here, before the field finds it.",
	Pass:     "against the version before there are no new services, setuid files, accounts, private keys, trust anchors, programs or components; what is new is for the maker to confirm",
	Fix:      "Hold each line against what was meant to change, and against the release notes.",
	Severity: check.Info,

	Requirements: []string{"CRA:II.3", "EN303645:5.6-1"},
	Rows:         []string{"FW-DIFF"},
	Sources:      []string{"previous: or --against names the file that users have now; inspect OLD NEW does so as well"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: changes,
}

func changes(_ context.Context, t *check.T) error {
	compared := 0
	for _, f := range t.Artefacts {
		if f.PreviousErr != nil {
			return check.NotRun("correct previous: in the product file, or --against", "the version before %s cannot be opened: %v", f.File, f.PreviousErr)
		}
		old := f.Previous
		if old == nil {
			continue
		}
		compared++
		d := artefact.Compare(old, f)
		t.Record("%s against %s: %d files are new, %d are gone, %d have other contents", f.File, old.File, d.Added, d.Removed, d.Changed)
		t.Measure("files of "+f.File+" that changed since "+old.File, float64(d.Added+d.Removed+d.Changed), "files", "")
		t.Find(judgeChanges(d)...)
	}
	if compared == 0 {
		return check.NotApplicable("there is no other version to compare with: previous: in the product file, or inspect OLD NEW")
	}
	return t.LookedAt(compared, "versions to compare")
}

func judgeChanges(d artefact.Difference) (findings []check.Finding) {
	for _, s := range d.Sections {
		for _, side := range []struct {
			verb  string
			lines []string
		}{{"Gains", s.Gained}, {"Loses", s.Lost}, {"Changes", s.Changed}} {
			if len(side.lines) > 0 {
				findings = append(findings, check.Finding{
					Title: fmt.Sprintf("%s %s since %s", side.verb, amount(len(side.lines), s.One, s.What), d.Old),
					Seen:  fmt.Sprintf("%s: %s", d.New, shortened(side.lines, 20)),
				})
			}
		}
	}
	return findings
}
