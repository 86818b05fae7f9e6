package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSKeyTypes presents the kinds of server keys that clouds use.
var TLSKeyTypes = &check.Check{
	ID:    "protocol.tls-key-types",
	Title: "Gets along with ECDSA and RSA server keys",
	Why: "Clouds change the kind and the size of their keys without asking. " +
		"A device whose TLS library was built for one kind is offline after the next renewal.",
	Pass:         "a handshake and application data with server keys of ECDSA P-256 and of RSA with 2048, 3072 and 4096 bits, each within two attempts",
	Fix:          "build the TLS library with ECDSA and RSA, and with big-number buffers for 4096 bits",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.5-3"},
	Rows:         []string{"tls.key.types"},
	Sources:      []string{"badssl.com: ecc256, rsa2048, rsa4096"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        15 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.AcceptsCertificates(ctx, pki.ECDSAP256, pki.RSA2048, pki.RSA3072, pki.RSA4096)
	},
}
