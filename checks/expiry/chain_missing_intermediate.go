package expiry

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// ChainMissingIntermediate looks for servers that send their own certificate without its issuer.
var ChainMissingIntermediate = &check.Check{
	ID:       "expiry.chain-missing-intermediate",
	Title:    "Sends the intermediates of its certificate",
	Why:      "Browsers fetch or remember what a server forgets to send, so the page looks fine on every desk. Devices do neither, and refuse the server.",
	Pass:     "of every endpoint, the issuer of the server's certificate is sent behind it, or is a root in the firmware",
	Fix:      "Give the server the full chain: its certificate, then every intermediate, without the root.",
	Severity: check.Blocker,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Rows:         []string{"expiry.chain.missing_intermediate"},
	Sources:      []string{"RFC 8446 section 4.4.2, RFC 5246 section 7.4.2", "CA/Browser Forum Baseline Requirements 6.1.7: public roots issue no server certificates"},

	Needs:   check.Needs{Real: product.Inspected},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: chainMissingIntermediate,
}

func chainMissingIntermediate(_ context.Context, t *check.T) error {
	var roots []*x509.Certificate
	for _, f := range judge.Shipped(t.Artefacts) {
		roots = append(roots, judge.Roots(f)...)
	}
	looked := 0
	for _, e := range judge.Endpoints(t.Artefacts) {
		if decided, findings := judgeMissingIntermediate(e, roots); decided {
			looked++
			t.Record("%s sends %d certificates", e.Name, len(e.Sent))
			t.Find(findings...)
		}
	}
	return t.LookedAt(looked, "endpoints whose chain can be followed")
}

// judgeMissingIntermediate finds a certificate whose issuer nobody has. Of one that no public authority issued that cannot be told when
// nothing is known of the product's roots: a root may have issued it.
func judgeMissingIntermediate(e judge.Endpoint, roots []*x509.Certificate) (decided bool, findings []check.Finding) {
	own := e.Sent[0]
	issued := func(ca *x509.Certificate) bool { return trust.Issued(ca, own) }
	switch {
	case trust.Self(own), slices.ContainsFunc(roots, own.Equal), slices.ContainsFunc(e.Sent[1:], issued), slices.ContainsFunc(roots, issued):
		return true, nil
	case len(roots) == 0 && !trust.Public(own):
		return false, nil
	}
	return true, []check.Finding{{
		Title: "Does not send the issuer of its certificate",
		Seen: fmt.Sprintf("%s sends %d certificates; none of them issued the first, %s, and no root of the product did; its issuer is %q",
			e.Name, len(e.Sent), name(own), own.Issuer.CommonName),
	}}
}
