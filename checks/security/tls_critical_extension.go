package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSCriticalExtension presents a certificate with a condition that nobody knows.
var TLSCriticalExtension = &check.Check{
	ID:    "security.tls-critical-extension",
	Title: "Refuses a certificate with an unknown critical extension",
	Why: "A critical extension is a condition of the authority: who does not understand it must not rely on the certificate. " +
		"A device that passes over it ignores limits that were set on purpose.",
	Pass:         "no application byte to an endpoint whose certificate has a critical extension that no client knows",
	Fix:          "let the TLS library refuse unknown critical extensions (remove X509_V_FLAG_IGNORE_CRITICAL, MBEDTLS_X509_ALLOW_UNSUPPORTED_CRITICAL_EXTENSION of mbed TLS 2)",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.critical-ext"},
	Sources:      []string{"RFC 5280 section 4.2"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.CriticalExtension)
	},
}
