package security

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// LicenceText looks for packages under the GPL without the text of their licence.
var LicenceText = &check.Check{
	ID:       "security.licence-text",
	Title:    "Carries the text of the licences that ask for it",
	Why:      "Who ships software under the GPL has to give its text, and the source or an offer of it. Makers were stopped from selling over it. This is not legal advice: the text may also be on paper in the box.",
	Pass:     "no file system with packages under the GPL or LGPL is without a licence text or a notice",
	Fix:      "Put the licence texts and the offer of the source into the image, or see that they are in the box.",
	Severity: check.Info,

	Rows:    []string{"FW-LIC"},
	Sources: []string{"GPL-2.0, sections 1 and 3; GPL-3.0, sections 4 and 6", "only what metadata of packages say of licences is judged"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("packages whose licence is told", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeLicences(f)
	}),
}

func judgeLicences(f *artefact.Facts) (looked int, findings []check.Finding) {
	copyleft := map[*tree.Node][]string{}
	var order []*tree.Node
	for _, c := range f.Components {
		if c.License == "" || c.Node.File == nil {
			continue
		}
		looked++
		if r := c.Node.Root(); strings.Contains(strings.ToUpper(c.License), "GPL") {
			if copyleft[r] == nil {
				order = append(order, r)
			}
			copyleft[r] = append(copyleft[r], fmt.Sprintf("%s (%s)", c.Name, c.License))
		}
	}
	for _, r := range order {
		if licensed(r) {
			continue
		}
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Has %s under the GPL, and no licence text", amount(len(copyleft[r]), "package", "packages")),
			Seen:  fmt.Sprintf("%s: %s; no file there is called COPYING, LICENSE, copyright, notice or the like", r.Path(), shortened(copyleft[r], 8)),
		})
	}
	return looked, findings
}

// licensed reports whether a file system holds a file that is called as licence texts are.
func licensed(root *tree.Node) bool {
	for n := range root.All() {
		if n.File == nil || !n.File.Mode.IsRegular() {
			continue
		}
		base := strings.ToLower(path.Base(n.Name))
		for _, word := range []string{"copying", "license", "licence", "copyright", "notice", "gpl", "opensource", "open_source"} {
			if strings.Contains(base, word) {
				return true
			}
		}
	}
	return false
}
