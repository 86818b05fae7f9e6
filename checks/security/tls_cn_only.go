package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSCNOnly presents a certificate as they were made before 2000.
var TLSCNOnly = &check.Check{
	ID:    "security.tls-cn-only",
	Title: "Refuses a certificate that names its host in the common name only",
	Why: "No public authority issues such certificates any more, and name constraints of authorities do not cover the common name. " +
		"A device that accepts them keeps a door open that nobody watches.",
	Pass:         "no application byte to an endpoint whose certificate has the right common name and no subject alternative name",
	Fix:          "turn the fallback to the common name off (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT in OpenSSL); give your own servers a subject alternative name first",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.cn-only"},
	Sources:      []string{"RFC 9525 section 2 (the common name no longer counts)", "badssl.com: no-common-name and its relatives", "4 of 6 client programs that were measured accept it"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.CNOnly)
	},
}
