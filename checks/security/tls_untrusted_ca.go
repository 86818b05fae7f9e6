package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSUntrustedCA presents a chain of an impostor with the names of the real authority.
var TLSUntrustedCA = &check.Check{
	ID:    "security.tls-untrusted-ca",
	Title: "Refuses a chain from an authority that it does not trust",
	Why: "The name of an authority is no secret: whoever makes one of the same name can issue certificates for any server. " +
		"Only the signature tells them apart.",
	Pass:         "no application byte to an endpoint whose chain comes from another authority with the subjects and key identifiers of the trusted one",
	Fix:          "let the TLS library verify the chain against the roots; do not compare issuer names in a callback",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.untrusted-ca"},
	Sources:      []string{"AWS IoT Device Advisor, test TLS Unsecure Server Cert (same criterion; ours bears the names of the real authority)", "badssl.com: untrusted-root", "RFC 5280 section 6.1.3"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.UntrustedCA)
	},
}
