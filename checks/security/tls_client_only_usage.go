package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSClientOnlyUsage presents a certificate of a device as that of a server.
var TLSClientOnlyUsage = &check.Check{
	ID:    "security.tls-client-only-usage",
	Title: "Refuses a server certificate that is for clients only",
	Why: "Every device has a certificate from the same maker. " +
		"Where any of them can play the server, one stolen device is enough to stand in for the cloud.",
	Pass:         "no application byte to an endpoint with a certificate for the right name whose extended key usage is clientAuth only",
	Fix:          "let the TLS library check the purpose (X509_PURPOSE_SSL_SERVER; MBEDTLS_X509_CHECK_EXTENDED_KEY_USAGE)",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.eku"},
	Sources:      []string{"RFC 5280 section 4.2.1.12"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.ClientAuthOnly)
	},
}
