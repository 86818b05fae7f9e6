package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSLeafAsCA has the valid certificate of another host issue one for the right name.
var TLSLeafAsCA = &check.Check{
	ID:    "security.tls-leaf-as-ca",
	Title: "Refuses a certificate that was issued by one that is no authority",
	Why: "Anybody can get a valid certificate for a host of their own. " +
		"A device that does not look at basicConstraints lets them issue certificates for every other host with it.",
	Pass:         "no application byte to an endpoint whose certificate was signed by the valid certificate (CA: false) of another host",
	Fix:          "leave the verification of the chain to the TLS library; update it when it is older than its fix of CVE-2002-0970 and the like",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.leaf-as-ca"},
	Sources:      []string{"certmitm: real_cert_CA", "RFC 5280 section 4.2.1.9", "RFC 5280 section 6.1.4 (k)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.LeafAsCA)
	},
}
