package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSNULInSAN presents a name that C strings see only the half of.
var TLSNULInSAN = &check.Check{
	ID:    "security.tls-nul-in-san",
	Title: "Does not end a certificate name at a NUL",
	Why: "In 2009 authorities issued certificates for names with a NUL in them, and browsers read only what stood before it. " +
		"A device that treats names as C strings takes such a certificate for that of its server.",
	Pass:         "no application byte to an endpoint whose subject alternative name is the right name, a NUL and .evil.test",
	Fix:          "compare names with their length, or update the TLS library; refuse names that hold a NUL",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.nul-in-san"},
	Sources:      []string{"CVE-2009-2408", "RFC 5280 section 4.2.1.6", "CWE-158"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.NulInSAN)
	},
}
