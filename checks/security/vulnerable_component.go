package security

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/advisories"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// VulnerableComponent holds components against entries of OSV that the maker gives.
var VulnerableComponent = &check.Check{
	ID:       "security.vulnerable-component",
	Title:    "Has no component with a known vulnerability that is high or critical",
	Why:      "A product may not be placed on the market with a vulnerability that is known and can be exploited. Whoever looks the version up finds the way in.",
	Pass:     "no component is in a version range of an entry of OSV with a CVSS base score of 7.0 or above, unless a VEX document says that it does no harm",
	Fix:      "Take a version that mends it, or say in a VEX document why it does no harm here.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2a", "EN303645:5.2-3"},
	Rows:         []string{"FW-CVE-OSV"},
	Sources:      []string{"OSV schema 1.7: evaluation of ranges in the order of the ecosystem; CVSS 3.1, section 7.1", "entries without a rating are recorded and are no finding"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: func(ctx context.Context, t *check.T) error {
		entries := 0
		err := ofComponents(func(f *artefact.Facts, l *advisories.Lists, t *check.T) (int, []check.Finding) {
			entries += l.Files
			if l.Files == 0 {
				return 0, nil
			}
			harmless, _, err := stated(f)
			if err != nil {
				t.Record("the statements on vulnerabilities were not used: %v", err)
			}
			return judgeVulnerable(f.Components, l, harmless, t.Record)
		})(ctx, t)
		if entries == 0 && len(t.Artefacts) > 0 {
			return check.NotApplicable("no entries of OSV are given: data: in the product file, or --data")
		}
		return err
	},
}

// judgeVulnerable says how many components are of an ecosystem that OSV has, too.
func judgeVulnerable(all []artefact.Component, l *advisories.Lists, harmless map[string]bool, record func(string, ...any)) (looked int, findings []check.Finding) {
	for _, c := range all {
		if ecosystem, _ := advisories.Ecosystem(c.Component); ecosystem != "" {
			looked++
		}
		var ids []string
		worst := -1.0
		for _, v := range l.Vulnerabilities(c.Component) {
			id := v.CVE()
			switch {
			case harmless[id] || harmless[v.ID]:
				record("%s: %s does no harm, as the maker states", labelled(c), id)
			case v.High():
				rating := v.Rated
				if v.Score >= 0 {
					rating = fmt.Sprintf("%.1f", v.Score)
				}
				ids, worst = append(ids, fmt.Sprintf("%s (%s)", id, rating)), max(worst, v.Score)
			case v.Unrated():
				record("%s: %s, without a rating", labelled(c), id)
			}
		}
		if len(ids) > 0 {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Has %s with known vulnerabilities", labelled(c)),
				Seen:  fmt.Sprintf("%s: %s high or critical: %s", whereabouts(c), amount(len(ids), "is", "are"), shortened(ids, 10)),
			})
		}
	}
	return looked, findings
}
