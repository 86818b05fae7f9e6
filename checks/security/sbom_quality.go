package security

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SBOMQuality asks whether the maker's bill of materials says what it must.
var SBOMQuality = &check.Check{
	ID:       "security.sbom-quality",
	Title:    "Has a bill of materials by which its components can be looked up",
	Why:      "A line without a version or without a name that lists know cannot be held against a vulnerability. Customers and authorities get this document.",
	Pass:     "the document names its author, its time and what it is about, and relates its parts; every component on the top level has a name, a version, a supplier and a purl or CPE",
	Fix:      "Have the tool that writes it fill in supplier, version and purl; add what it cannot know by hand.",
	Severity: check.Minor,

	Requirements: []string{"CRA:II.1", "EN303645:5.2-3"},
	Rows:         []string{"FW-SBOM-QUALITY"},
	Sources:      []string{"NTIA, The Minimum Elements for a Software Bill of Materials, 2021: data fields", "our choice: a component without a version is let pass up to 5 %, since some have none"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: ofPapers(func(f *artefact.Facts, d *sbom.Document) (int, []check.Finding) {
		return 1, judgeSBOMQuality(f.SBOM.Name, d)
	}),
}

// tolerated is the share of components in percent that may lack a field.
const tolerated = 5

func judgeSBOMQuality(name string, d *sbom.Document) (findings []check.Finding) {
	var lacks []string
	for what, has := range map[string]bool{"an author": d.Author, "a time": d.Time, "what it is about": d.Subject != "", "relations between its parts": d.Related} {
		if !has {
			lacks = append(lacks, what)
		}
	}
	slices.Sort(lacks)
	if len(lacks) > 0 {
		findings = append(findings, check.Finding{
			Title: "Has a bill of materials without its head",
			Seen:  fmt.Sprintf("%s (%s) does not tell %s", name, d.Format, shortened(lacks, 4)),
		})
	}
	top := 0
	without := map[string][]string{}
	for _, i := range d.Items {
		if !i.Top {
			continue
		}
		top++
		for what, has := range map[string]bool{"a version": i.Version != "", "a supplier": i.Supplier != "", "a purl or CPE": i.PURL != "" || i.CPE != "", "a name": i.Name != ""} {
			if !has {
				without[what] = append(without[what], i.Name)
			}
		}
	}
	if top == 0 {
		return append(findings, check.Finding{Title: "Has a bill of materials that is empty", Seen: fmt.Sprintf("%s (%s) lists no component", name, d.Format)})
	}
	for _, what := range []string{"a name", "a version", "a supplier", "a purl or CPE"} {
		if n := len(without[what]); n*100 > top*tolerated {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Has a bill of materials in which components lack %s", what),
				Seen:  fmt.Sprintf("%d of %d components of %s: %s", n, top, name, shortened(without[what], 8)),
			})
		}
	}
	return findings
}
