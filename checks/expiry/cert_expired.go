package expiry

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// CertExpired presents a server certificate whose time is over.
var CertExpired = &check.Check{
	ID:    "expiry.cert-expired",
	Title: "Refuses a server certificate that has expired",
	Why: "An expired certificate is often an old one whose key has leaked or was handed on. " +
		"A device that accepts it talks to whoever holds that key.",
	Pass:         "no application byte to an endpoint whose certificate expired 1 hour or 1 year ago",
	Fix:          "give the TLS library the time and let it check notAfter; before the clock is set, use the build date as the earliest possible time",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"tls.cert.expired"},
	Sources:      []string{"AWS IoT Device Advisor, test TLS Expired Server Cert (same criterion)", "RFC 5280 section 6.1.3", "badssl.com: expired"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.RefusesCertificates(ctx, pki.Expired1h, pki.Expired1y)
	},
}
