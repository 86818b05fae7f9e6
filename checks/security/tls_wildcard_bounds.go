package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSWildcardBounds presents wildcards that reach too far, as far as there are any for the host name.
var TLSWildcardBounds = &check.Check{
	ID:    "security.tls-wildcard-bounds",
	Title: "Lets a wildcard stand for one whole label only",
	Why: `A certificate for "*" or for a whole top-level domain would be good for every server. ` +
		"Home-made comparison of names lets a star match anything.",
	Pass:         `no application byte to endpoints with certificates for "*", for a wildcard over a top-level domain, and (minor) for a wildcard within a label, as far as the host name allows each`,
	Fix:          "leave the comparison of names to the TLS library; forbid partial wildcards (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS in OpenSSL)",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.wildcard-bounds"},
	Sources:      []string{"RFC 9525 section 6.3 (its predecessor RFC 6125, section 6.4.3, let clients match a wildcard within a label)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		if err := t.RefusesCertificates(ctx, pki.WildcardBare, pki.WildcardTLD); err != nil {
			return err
		}
		// It reaches too far, but not beyond the domain of its owner; and RFC 6125 allowed it.
		return t.JudgeCertificates(ctx, check.Judge(check.Refused).As(check.Minor), pki.WildcardPartial)
	},
}
