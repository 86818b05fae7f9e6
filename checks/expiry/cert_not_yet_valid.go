package expiry

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// CertNotYetValid presents a server certificate whose time has not come.
var CertNotYetValid = &check.Check{
	ID:    "expiry.cert-not-yet-valid",
	Title: "Refuses a server certificate that is not valid yet",
	Why: "A device that does not look at notBefore usually does not look at the time at all. " +
		"Whoever gets hold of the keys of next year's certificate, or sets the clock of the device back, is trusted at once.",
	Pass:         "no application byte to an endpoint whose certificate becomes valid in 24 hours",
	Fix:          "let the TLS library check both dates; when the clock is not set yet, set it first or use the build date as the earliest possible time",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.not-yet-valid"},
	Sources:      []string{"RFC 5280 section 4.1.2.5", "RFC 5280 section 6.1.3", "badssl.com: dates of the certificate"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.NotYetValid)
	},
}
