package expiry

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// RootCoverage holds the roots of every firmware against the chain of every endpoint, now and later.
var RootCoverage = &check.Check{
	ID:       "expiry.root-coverage",
	Title:    "Has a root for every endpoint that it needs, now and in years",
	Why:      "A firmware without the root of its server cannot fetch the update that would bring the root. Units that left the factory with old firmware are lost.",
	Pass:     "for each firmware and each endpoint a path leads from the chain to a root in the firmware, now and in 1, 2 and 5 years as far as the support goes, if the server renews its certificate and intermediates in time",
	Fix:      "Add the missing root to the firmware, or have the server send a chain to a root that all firmware in the field has.",
	Severity: check.Blocker,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-011", "INC-012"},
	Rows:         []string{"expiry.client.root_coverage"},
	Sources:      []string{"RFC 5280 section 6.1", "field reports of 30 September 2021 (DST Root CA X3)"},

	Needs:   check.Needs{Real: product.Inspected},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: rootCoverage,
}

func rootCoverage(_ context.Context, t *check.T) error {
	looked := 0
	for _, f := range judge.Shipped(t.Artefacts) {
		roots := judge.Roots(f)
		if f.Role != product.Firmware || len(roots) == 0 {
			continue
		}
		for _, e := range judge.Used(t.Product, judge.Endpoints(t.Artefacts)) {
			looked++
			t.Record("%s was held against the %d roots of %s", e.Name, len(roots), f.File)
			t.Find(judgeRootCoverage(e, f.File, roots, t.Clock.Now(), t.Product.Declared.SupportUntil.Time)...)
		}
	}
	return t.LookedAt(looked, "endpoints beside firmware with roots")
}

// judgeRootCoverage finds when an endpoint is out of reach. All authorities in the firmware count as its roots, which is more than each of
// its programs trusts: what is not reached so is not reached at all. No support end is none.
func judgeRootCoverage(e judge.Endpoint, firmware string, roots []*x509.Certificate, now, support time.Time) []check.Finding {
	ends, cert, err := trust.Full.Horizon(e.Sent, roots, judge.While(e.Sent[0], now))
	if err != nil {
		return []check.Finding{{
			Title: "Has no root for an endpoint that it needs",
			Seen:  fmt.Sprintf("%s, with the %d roots of %s: %v", e.Name, len(roots), firmware, err),
		}}
	}
	for _, years := range []int{1, 2, 5} {
		at := now.AddDate(years, 0, 0)
		if !support.IsZero() && at.After(support) {
			break
		}
		if at.After(ends) {
			f := check.Finding{
				Severity: check.Major, Title: "Loses an endpoint that it needs when a root ends",
				Seen: fmt.Sprintf("%s, with the roots of %s: %s ends on %s; in %d years no path is left", e.Name, firmware, name(cert), judge.Day(ends), years),
			}
			if years == 1 {
				f.Severity = check.Blocker
			}
			return []check.Finding{f}
		}
	}
	return nil
}
