package expiry

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// ShippedExpired looks for certificates in what is shipped that have ended already.
var ShippedExpired = &check.Check{
	ID:       "expiry.shipped-expired",
	Title:    "Ships no certificate that has expired",
	Why:      "A device whose own certificate has expired is refused by its cloud from the first day on; one that trusts only an expired root reaches nobody.",
	Pass:     "no certificate of the product's own, and no authority that stands by itself, is past its end; those in documentation, of signed code and in stores of three or more authorities do not count",
	Fix:      "Replace the certificate, or delete it when nothing uses it.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-005", "INC-008"},
	Rows:         []string{"CERT-EXPIRED"},
	Sources:      []string{"RFC 5280 section 4.1.2.5"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("certificates", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		list := judge.Certificates(f)
		return len(list), judgeShippedExpired(list, t.Clock.Now())
	}),
}

// judgeShippedExpired finds what has ended. Of a store one finding tells of all, for its other authorities go on.
func judgeShippedExpired(list []judge.Certificate, now time.Time) (findings []check.Finding) {
	ended, bundled, first := 0, 0, judge.Certificate{}
	for _, c := range list {
		if c.Use == judge.Bundled {
			bundled++
		}
		if !now.After(c.NotAfter) {
			continue
		}
		switch c.Use {
		case judge.Own, judge.Anchor:
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Ships the certificate %s, which has expired", name(c.Certificate)),
				Seen:  fmt.Sprintf("it ended on %s and lies in %s", judge.Day(c.NotAfter), c.Where()),
			})
		case judge.Bundled:
			if ended++; ended == 1 {
				first = c
			}
		}
	}
	if ended > 0 {
		findings = append(findings, check.Finding{
			Severity: check.Info, Title: "Has authorities in its store that have expired",
			Seen: fmt.Sprintf("%d of %d, such as %s, which ended on %s, in %s", ended, bundled, name(first.Certificate), judge.Day(first.NotAfter), first.Where()),
		})
	}
	return findings
}
