package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSCNSANMismatch puts the right name where it no longer counts.
var TLSCNSANMismatch = &check.Check{
	ID:    "security.tls-cn-san-mismatch",
	Title: "Refuses a certificate whose alternative names are those of another host",
	Why: "An authority vouches for the subject alternative names; what stands in the common name is often free text. " +
		"A device that goes by the common name trusts certificates that were never issued for its server.",
	Pass:         "no application byte to an endpoint with the right common name whose subject alternative name is another host",
	Fix:          "compare the host name with the subject alternative names only; update TLS libraries that fall back to the common name",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.cn-match-san-mismatch"},
	Sources:      []string{"RFC 6125 section 6.4.4 (the common name counts only when no alternative name is a DNS name)", "RFC 9525 section 2 (it never counts)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.CNMatchSANMismatch)
	},
}
