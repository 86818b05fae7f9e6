package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSSuffixName presents a name that only begins with the right one.
var TLSSuffixName = &check.Check{
	ID:    "security.tls-suffix-name",
	Title: "Compares the whole host name",
	Why: "Anybody can own a domain below which broker.example.com.evil.test stands, and get a valid certificate for it. " +
		"A device that compares the beginning of the name, or looks for it somewhere inside, trusts that certificate.",
	Pass:         "no application byte to an endpoint with a valid certificate for the right name followed by .evil.test",
	Fix:          "leave the comparison of names to the TLS library; look for strncmp and strstr in verification callbacks",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.suffix-name"},
	Sources:      []string{"RFC 9525 section 6.3", "CWE-297"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.SuffixName)
	},
}
