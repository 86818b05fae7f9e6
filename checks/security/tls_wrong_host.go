package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSWrongHost presents a valid certificate of another host of the same maker.
var TLSWrongHost = &check.Check{
	ID:    "security.tls-wrong-host",
	Title: "Refuses a server certificate for another host name",
	Why: "A device that does not compare names trusts every certificate of its authority, and anybody can buy one of a public authority. " +
		"Whoever sits in the same network then reads and commands the device.",
	Pass:         "no application byte to an endpoint whose valid certificate names another host",
	Fix:          "tell the TLS library the host name (mbedtls_ssl_set_hostname, SSL_set1_host, common_name of esp_tls) and do not turn its check off",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.wrong-host"},
	Sources:      []string{"AWS IoT Device Advisor, test TLS Incorrect Subject Name Server Cert (same criterion)", "RFC 9525 section 6", "badssl.com: wrong.host"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.WrongHost)
	},
}
