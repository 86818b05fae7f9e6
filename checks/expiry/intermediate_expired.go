package expiry

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// IntermediateExpired presents a chain whose middle has expired.
var IntermediateExpired = &check.Check{
	ID:    "expiry.intermediate-expired",
	Title: "Refuses a chain whose intermediate authority has expired",
	Why: "Nobody revokes an authority that has expired: a key of it that leaks afterwards makes certificates for any server. " +
		"A device that looks at the dates of the last certificate only trusts them all.",
	Pass:         "no application byte to an endpoint whose intermediate authority expired 1 day ago, while its own certificate is valid",
	Fix:          "verify the whole chain with the TLS library; remove verification callbacks that clear errors of authorities",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.intermediate-expired"},
	Sources:      []string{"RFC 5280 section 6.1.3"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.IntermediateExpired)
	},
}
