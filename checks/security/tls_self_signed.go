package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSSelfSigned presents what anybody can make in a second.
var TLSSelfSigned = &check.Check{
	ID:    "security.tls-self-signed",
	Title: "Refuses a self-signed server certificate",
	Why: "Anybody makes such a certificate for any name. " +
		"A device that accepts it can be read and commanded by everybody between it and its server.",
	Pass:         "no application byte to an endpoint with a self-signed certificate for the right name",
	Fix:          "turn verification on (MBEDTLS_SSL_VERIFY_REQUIRED, SSL_VERIFY_PEER; no setInsecure, no skip_cert_common_name_check) and give the device its roots",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.self-signed"},
	Sources:      []string{"certmitm: self_signed", "badssl.com: self-signed", "RFC 5280 section 6.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.SelfSigned)
	},
}
