package expiry

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// RootRotation moves the server to the second root that the device was given.
var RootRotation = &check.Check{
	ID:    "expiry.root-rotation",
	Title: "Connects when the server moves to the promised second root",
	Why: "Roots end, and so do authorities: one day the server must move to another root. " +
		"Devices that trust one root, or one certificate, only are cut off that day, from their updates too.",
	Pass:         "application data over TLS when the server presents a valid chain from the second root in the CA file, not the first",
	Fix:          "load every certificate of the CA file, not only the first; pin no intermediate and no server certificate",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.5-3"},
	Incidents:    []string{"INC-011", "INC-012"},
	Rows:         []string{"tls.cert.root-rotation"},
	Sources:      []string{"badgeteam/ESP32-platform-firmware issue 203", "RFC 5280 section 6.1.1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return t.AcceptsCertificates(ctx, pki.SecondRoot)
	},
}
