package security

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/artefact/versions"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SBOMComplete holds the maker's bill of materials against what is in the artefact.
var SBOMComplete = &check.Check{
	ID:       "security.sbom-complete",
	Title:    "Is made of nothing that its bill of materials leaves out",
	Why:      "A component that is not in the bill of materials is watched by nobody: the news of its next vulnerability reaches no one who ships it.",
	Pass:     "every component that is found stands in the bill of materials, with the version that is found",
	Fix:      "Make the bill of materials from the build that makes the image, and add what comes from outside the package manager.",
	Severity: check.Minor,

	Requirements: []string{"CRA:II.1", "EN303645:5.3-1"},
	Rows:         []string{"FW-SBOM-MATCH"},
	Sources:      []string{"names are compared without case, punctuation and a leading lib, by name, source package, project, purl and CPE"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: ofPapers(func(f *artefact.Facts, d *sbom.Document) (int, []check.Finding) {
		return len(f.Components), judgeSBOMComplete(f, d)
	}),
}

// ofPapers is the Run of a check that judges bills of materials.
func ofPapers(judge func(f *artefact.Facts, d *sbom.Document) (looked int, findings []check.Finding)) func(context.Context, *check.T) error {
	return func(_ context.Context, t *check.T) error {
		total, given := 0, 0
		for _, f := range t.Artefacts {
			d, err := paper(f)
			if err != nil {
				return check.NotRun("correct sbom: in the product file, or --sbom", "the bill of materials of %s cannot be read: %v", f.File, err)
			}
			if d == nil {
				continue
			}
			given++
			looked, findings := judge(f, d)
			total += looked
			t.Record("%s: %s with %d components", f.SBOM.Name, d.Format, len(d.Items))
			t.Find(findings...)
		}
		if given == 0 {
			return check.NotApplicable("no bill of materials is given: sbom: in the product file, or --sbom")
		}
		return t.LookedAt(total, "components")
	}
}

// plainName is a name as it is compared.
func plainName(s string) string {
	s = strings.ToLower(s)
	if rest := strings.TrimPrefix(s, "lib"); len(rest) > 2 {
		s = rest
	}
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// declaredNames are those of an item by which it may be meant.
func declaredNames(i sbom.Declared) (names []string) {
	names = append(names, plainName(i.Name))
	if purl, _, _ := strings.Cut(i.PURL, "@"); purl != "" {
		names = append(names, plainName(purl[strings.LastIndexByte(purl, '/')+1:]))
	}
	if cpe := strings.Split(i.CPE, ":"); len(cpe) > 4 {
		names = append(names, plainName(cpe[4]))
	}
	return names
}

// judgeSBOMComplete finds what is not declared, and what is declared with another version. The system itself is the product.
func judgeSBOMComplete(f *artefact.Facts, d *sbom.Document) (findings []check.Finding) {
	declared := map[string][]string{} // versions by name
	for _, i := range d.Items {
		for _, name := range declaredNames(i) {
			declared[name] = append(declared[name], i.Version)
		}
	}
	var absent, other []string
	for _, c := range f.Components {
		if c.Source == components.Release {
			continue
		}
		var found []string
		for _, name := range []string{c.Name, c.Origin, c.Product} {
			if name != "" {
				found = append(found, declared[plainName(name)]...)
			}
		}
		switch {
		case len(found) == 0:
			absent = append(absent, labelled(c))
		case !sameVersion(found, c.Component):
			other = append(other, fmt.Sprintf("%s (declared: %s)", labelled(c), strings.Join(found[:min(len(found), 3)], ", ")))
		}
	}
	if len(absent) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Has %s that its bill of materials leaves out", amount(len(absent), "component", "components")),
			Seen:  fmt.Sprintf("not in %s: %s", f.SBOM.Name, shortened(absent, 12)),
		})
	}
	if len(other) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Has %s than its bill of materials says", amount(len(other), "component in another version", "components in other versions")),
			Seen:  fmt.Sprintf("of %s: %s", f.SBOM.Name, shortened(other, 12)),
		})
	}
	return findings
}

// sameVersion reports whether one of the declared versions is that of the component, by its package or its project.
func sameVersion(declared []string, c components.Component) bool {
	for _, v := range declared {
		v = strings.TrimPrefix(v, "v")
		if v == "" || v == c.Version || versions.Upstream.Compare(v, c.Upstream) == 0 || versions.Upstream.Compare(v, strings.TrimPrefix(c.Version, "v")) == 0 {
			return true
		}
	}
	return c.Version == ""
}
