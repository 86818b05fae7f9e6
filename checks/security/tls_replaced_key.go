package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSReplacedKey presents the right certificate without having its key.
var TLSReplacedKey = &check.Check{
	ID:    "security.tls-replaced-key",
	Title: "Demands that the server holds the key of its certificate",
	Why: "The certificate of a server is public: anybody can send it. " +
		"A device that does not verify the signature in the handshake talks to whoever copied it.",
	Pass:         "no application byte to an endpoint that presents the good chain and signs the handshake with another key",
	Fix:          "use a maintained TLS library and its default settings; this check never fails by a setting alone",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.replaced-key"},
	Sources:      []string{"certmitm: replaced_key", "RFC 8446 section 4.4.3", "RFC 5246 section 7.4.3"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.ReplacedKey)
	},
}
