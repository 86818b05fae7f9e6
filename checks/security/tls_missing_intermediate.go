package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSMissingIntermediate presents the server's certificate alone.
var TLSMissingIntermediate = &check.Check{
	ID:    "security.tls-missing-intermediate",
	Title: "Refuses a chain with a missing intermediate authority",
	Why: "A server that forgets its intermediate works with clients that fetch or remember it, and fails with all others. " +
		"A device that gets through hides the mistake in tests, until it meets a server from which it has not learned yet.",
	Pass:         "no application byte to an endpoint that sends its own certificate only; a device that gets through is reported as information",
	Fix:          "nothing need be changed on the device if it fetched or kept the intermediate; let the server send its whole chain",
	Severity:     check.Info,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.missing-intermediate"},
	Sources:      []string{"RFC 8446 section 4.4.2", "RFC 5246 section 7.4.2", "badssl.com: incomplete-chain"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.MissingIntermediate)
	},
}
