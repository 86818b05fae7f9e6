package expiry

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// RootExpired presents chains that touch a root whose time is over, as those of AddTrust in 2020 and DST Root CA X3 in 2021 did.
var RootExpired = &check.Check{
	ID:    "expiry.root-expired",
	Title: "Gets around an expired root when another path is offered",
	Why: "When a root expires, servers keep sending chains that end in it for years, because old clients need them. " +
		"Clients that follow such a chain to its dead end, although they trust a living root on the way, go offline on that day and cannot be updated.",
	Pass:         "application data over TLS when the chain goes on, past a trusted root, to an expired one; no application byte when an expired root is the only path",
	Fix:          "update the TLS library (OpenSSL below 1.1.0 has this fault) or let it prefer trusted roots to what the server sends; ship the roots that come next",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.5-3", "EN303645:5.5-1"},
	Incidents:    []string{"INC-009", "INC-010", "INC-011"},
	Rows:         []string{"tls.cert.root-expired"},
	Sources:      []string{"RFC 5280 section 6.1 (leaves the dates of trust anchors to the application)", "RFC 4158 (building of paths)", "field reports of 30 May 2020 and 30 September 2021"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		if err := t.AcceptsCertificates(ctx, pki.CrossSignedByExpired); err != nil {
			return err
		}
		// The device holds the expired root itself. Many libraries stop there, and no server depends on their going around it.
		if err := t.JudgeCertificates(ctx, check.Judge(check.Completed).As(check.Info), pki.RootExpiredCrossSigned); err != nil {
			return err
		}
		return t.JudgeCertificates(ctx, check.Judge(check.Refused).As(check.Major), pki.RootExpiredOnly)
	},
}
