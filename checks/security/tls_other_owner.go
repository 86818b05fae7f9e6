package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSOtherOwner presents a faultless certificate of somebody else.
var TLSOtherOwner = &check.Check{
	ID:    "security.tls-other-owner",
	Title: "Refuses the valid certificate of another owner",
	Why: "Anybody can buy a valid certificate for a domain of their own. " +
		"A device that verifies the chain but not the name sends its data to them.",
	Pass:         "no application byte to an endpoint with a valid certificate of another owner's host from a trusted authority",
	Fix:          "tell the TLS library the host name (mbedtls_ssl_set_hostname, SSL_set1_host, common_name of esp_tls) and do not turn its check off",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.other-real-cert"},
	Sources:      []string{"certmitm: real_cert", "RFC 9525 section 6"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.OtherRealCert)
	},
}
