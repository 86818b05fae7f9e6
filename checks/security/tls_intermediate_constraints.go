package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSIntermediateConstraints presents three chains in which an authority did what it may not.
var TLSIntermediateConstraints = &check.Check{
	ID:    "security.tls-intermediate-constraints",
	Title: "Holds intermediate authorities to their constraints",
	Why: "Companies get an authority that may issue for their own names only. " +
		"A device that does not look at the constraints lets each of them issue certificates for every server.",
	Pass:         "no application byte to endpoints with a chain longer than its path length constraint, with a name outside its name constraints, and with an authority without keyCertSign",
	Fix:          "leave the verification of the chain to the TLS library; check what it supports: mbed TLS knows no name constraints",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.intermediate-constraints"},
	Sources:      []string{"RFC 5280 section 4.2.1.9", "RFC 5280 section 4.2.1.10", "RFC 5280 section 4.2.1.3"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.IntermediatePathLen, pki.IntermediateNameConstraint, pki.IntermediateNoCertSign)
	},
}
