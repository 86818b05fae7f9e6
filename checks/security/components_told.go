package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// ComponentsTold asks whether it can be told what a file system is made of.
var ComponentsTold = &check.Check{
	ID:       "security.components-told",
	Title:    "Shows what software it is made of",
	Why:      "Who does not know what is in a release cannot tell whether the next vulnerability is in it. The maker must know from the build; those who test and run it, from what it ships.",
	Pass:     "no root file system is without a component, beside the system itself, that a package database, metadata or a version string tells",
	Fix:      "Keep the database of the package manager in the image, or give the bill of materials of the build: sbom: in the product file.",
	Severity: check.Minor,

	Requirements: []string{"CRA:II.1", "EN303645:5.3-1"},
	Rows:         []string{"FW-SBOM-GEN"},
	Sources:      []string{"shakedown inspect FILE --format cyclonedx writes what was found"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("root file systems or components", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		roots := systemRoots(f.Root)
		return len(roots) + len(f.Components), judgeComponentsTold(f, roots)
	}),
}

// systemRoots are the file systems that a system starts from: they hold accounts or the table of init.
func systemRoots(root *tree.Node) (roots []*tree.Node) {
	for n := range root.All() {
		if n.File != nil && (n.Name == "etc/passwd" || n.Name == "etc/inittab" || n.Name == "etc/init.d/rcS") {
			if r := n.Root(); len(roots) == 0 || roots[len(roots)-1] != r {
				roots = append(roots, r)
			}
		}
	}
	return roots
}

// judgeComponentsTold finds file systems of which nothing can be told. A bill of materials of the maker says enough.
func judgeComponentsTold(f *artefact.Facts, roots []*tree.Node) (findings []check.Finding) {
	if d, err := paper(f); err == nil && d != nil && len(d.Items) > 0 {
		return nil
	}
	tells := map[*tree.Node]bool{}
	for _, c := range f.Components {
		if c.Source != components.Release {
			tells[c.Node.Root()] = true
		}
	}
	for _, r := range roots {
		if !tells[r] {
			findings = append(findings, check.Finding{
				Title: "Hides what software a file system is made of",
				Seen:  fmt.Sprintf("%s holds %d entries, and neither a package database, metadata of packages nor a version string that is known", r.Path(), len(r.Children)),
			})
		}
	}
	return findings
}
