package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSRevoked presents a certificate that its authority has taken back, and one whose promised status is missing.
var TLSRevoked = &check.Check{
	ID:    "security.tls-revoked",
	Title: "Refuses a server certificate that has been revoked",
	Why: "When the key of a server is stolen, its certificate is revoked. " +
		"Devices that do not look at the status trust the thief until the certificate expires.",
	Pass:         "no application byte to an endpoint with a stapled status \"revoked\", and to one whose certificate demands a stapled status and has none; accepting is information only",
	Fix:          "ask for the stapled status and judge it, or keep server certificates so short-lived (90 days or less) that revocation matters little",
	Severity:     check.Info,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.revoked"},
	Sources:      []string{"RFC 6066 section 8", "RFC 7633", "badssl.com: revoked", "6 of 6 client programs that were measured accept it"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.JudgeCertificates(ctx, judgeRevoked, pki.OCSPRevoked, pki.MustStaple)
	},
}

// judgeRevoked adds to what was found whether the device could have known: a staple is sent to those only who ask for it.
func judgeRevoked(f testbed.Faced, presented string) []check.Finding {
	asked := "; it did not ask for a stapled status"
	for _, a := range f.Attempts {
		if a.Hello != nil && a.Hello.OCSP {
			asked = "; it had asked for a stapled status"
		}
	}
	found := check.Refused(f, presented)
	for i := range found {
		found[i].Seen += asked
	}
	return found
}
