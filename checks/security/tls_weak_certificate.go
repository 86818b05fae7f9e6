package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSWeakCertificate presents certificates whose mathematics no longer hold.
var TLSWeakCertificate = &check.Check{
	ID:    "security.tls-weak-certificate",
	Title: "Refuses certificates with SHA-1 signatures and short RSA keys",
	Why: "Since 2020 the collision of SHA-1 that a forged certificate takes costs less than 50 000 dollars, and RSA keys of 1024 bits are within reach of states. " +
		"A device lives for ten years, in which both get cheaper.",
	Pass:         "no application byte to endpoints with a certificate signed with SHA-1 (major) and with an RSA key of 1024 bits (minor)",
	Fix:          "set the security level of the TLS library: level 2 in OpenSSL, the default certificate profile in mbed TLS",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.weak"},
	Sources:      []string{"RFC 8446 section 4.4.2.4 (SHA-1: abort recommended)", "RFC 9325 (RSA keys of 2048 bits or more)", "badssl.com: sha1", "Go and Node.js were measured to accept RSA keys of 1024 bits"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		if err := t.RefusesCertificates(ctx, pki.SHA1); err != nil {
			return err
		}
		return t.JudgeCertificates(ctx, check.Judge(check.Refused).As(check.Minor), pki.RSA1024)
	},
}
