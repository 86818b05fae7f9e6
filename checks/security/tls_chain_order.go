package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSChainOrder presents a good chain in a mess.
var TLSChainOrder = &check.Check{
	ID:    "security.tls-chain-order",
	Title: "Finds its way through an unordered chain",
	Why: "Servers and load balancers are often given a chain in the wrong order, or one with a stray certificate in it. " +
		"Phones and browsers do not mind, so that only the devices go offline after such a change.",
	Pass:         "application data over TLS when the server sends its certificate, a stray one, and two intermediates not in order",
	Fix:          "use a TLS library that builds the path itself (all current ones do), and do not walk the chain in a callback",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"tls.cert.chain-order"},
	Sources:      []string{"RFC 8446 section 4.4.2 (clients should be prepared for any order)", "RFC 5246 section 7.4.2 (TLS 1.2 asks servers for the right order)", "badssl.com: reversed-chain"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.AcceptsCertificates(ctx, pki.UnorderedChain)
	},
}
