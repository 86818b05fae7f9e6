package expiry

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// ChainLegacyClient follows the chains of endpoints as simple clients do.
var ChainLegacyClient = &check.Check{
	ID:       "expiry.chain-legacy-client",
	Title:    "Sends a chain that simple clients can follow, now and later",
	Why:      "TLS libraries of devices often follow a chain in one way only. Where it ends in a root that expires, they go offline on that day, although a newer client finds another way and sees nothing wrong.",
	Pass:     "with the roots of each firmware, clients that follow only the order sent and clients that take the first issuer they find reach a root whenever a full one does, until the support ends, or for 5 years where that is not declared",
	Fix:      "Send the server's certificate and its intermediates in order, and no certificate of a root that an older root signed.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-009", "INC-010"},
	Rows:         []string{"expiry.chain.legacy_builder"},
	Sources:      []string{"RFC 5246 section 7.4.2 (each certificate certifies the one before)", "OpenSSL 1.1.0: X509_V_FLAG_TRUSTED_FIRST by default", "field reports of 30 May 2020 and 30 September 2021"},

	Needs:   check.Needs{Real: product.Inspected},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: chainLegacyClient,
}

func chainLegacyClient(_ context.Context, t *check.T) error {
	now := t.Clock.Now()
	until := t.Product.Declared.SupportUntil.Time
	if until.IsZero() {
		until = now.AddDate(5, 0, 0)
	}
	looked := 0
	for _, f := range judge.Shipped(t.Artefacts) {
		roots := judge.Roots(f)
		if f.Role != product.Firmware || len(roots) == 0 {
			continue
		}
		for _, e := range judge.Used(t.Product, judge.Endpoints(t.Artefacts)) {
			if decided, findings := judgeLegacyClient(e, f.File, roots, now, until); decided {
				looked++
				t.Record("%s with the roots of %s: followed by %d kinds of clients", e.Name, f.File, len(trust.Clients))
				t.Find(findings...)
			}
		}
	}
	return t.LookedAt(looked, "endpoints that its firmware's roots lead to")
}

// judgeLegacyClient finds what simple clients lose that a full one has. A chain that none can follow is another check's. That only clients
// fail which need the strict order is minor: few are left.
func judgeLegacyClient(e judge.Endpoint, firmware string, roots []*x509.Certificate, now, until time.Time) (decided bool, findings []check.Finding) {
	at := judge.While(e.Sent[0], now)
	full, _, err := trust.Full.Horizon(e.Sent, roots, at)
	if err != nil {
		return false, nil
	}
	var seen []string
	worst := check.Minor
	for _, client := range []trust.Client{trust.FirstMatch, trust.SentOrder} {
		ends, cert, err := client.Horizon(e.Sent, roots, at)
		switch {
		case err != nil:
			seen = append(seen, fmt.Sprintf("clients %s fail: %v", client.Text(), err))
		case ends.Before(full) && ends.Before(until):
			seen = append(seen, fmt.Sprintf("clients %s fail from %s on, when %s ends", client.Text(), judge.Day(ends), name(cert)))
		default:
			continue
		}
		if client == trust.FirstMatch {
			worst = check.Major
		}
	}
	if len(seen) == 0 {
		return true, nil
	}
	return true, []check.Finding{{
		Severity: worst, Title: "Sends a chain that simple clients cannot follow",
		Seen: fmt.Sprintf("%s, with the roots of %s: %s; clients %s go on until %s", e.Name, firmware, strings.Join(seen, "; "), trust.Full.Text(), judge.Day(full)),
	}}
}
