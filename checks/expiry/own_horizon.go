package expiry

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// OwnHorizon compares the end of the product's own certificates with that of its support.
var OwnHorizon = &check.Check{
	ID:       "expiry.own-horizon",
	Title:    "Ships no certificate of its own that ends before its support does",
	Why:      "On the day on which the certificate ends every unit with this image drops out at once, also those that still lie in a shop. A device that is offline then cannot fetch the update that would have saved it.",
	Pass:     "every certificate in it that is no authority ends 30 days or more after support_until, or has expired already (another check tells of those)",
	Fix:      "Issue certificates that outlive the product, or renew them on the device and show that a device which was off for long still can.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-005", "INC-006", "INC-008"},
	Rows:         []string{"expiry.device.store_scan", "CERT-HORIZON"},
	Sources:      []string{"the margin of 30 days is our choice"},

	Needs:   check.Needs{Real: product.Artefact, Declares: []string{"support_until"}},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("certificates", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		list := judge.Certificates(f)
		return len(list), judgeOwnHorizon(list, t.Clock.Now(), t.Product.Declared.SupportUntil.Time)
	}),
}

// margin is how much longer than the support a certificate has to last.
const margin = 30 * 24 * time.Hour

// judgeOwnHorizon finds certificates that end too early. It is a blocker within a year from now.
func judgeOwnHorizon(list []judge.Certificate, now, support time.Time) (findings []check.Finding) {
	for _, c := range list {
		if c.Use != judge.Own || now.After(c.NotAfter) || !c.NotAfter.Before(support.Add(margin)) {
			continue
		}
		f := check.Finding{
			Title: fmt.Sprintf("Ships the certificate %s, which ends before the support does", name(c.Certificate)),
			Seen:  fmt.Sprintf("it ends on %s, and the support on %s; it lies in %s", judge.Day(c.NotAfter), judge.Day(support), c.Where()),
		}
		if c.NotAfter.Before(now.AddDate(1, 0, 0)) {
			f.Severity = check.Blocker
		}
		findings = append(findings, f)
	}
	return findings
}
