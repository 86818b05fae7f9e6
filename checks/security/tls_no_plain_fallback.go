package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// TLSNoPlainFallback takes TLS away and leaves the port open.
var TLSNoPlainFallback = &check.Check{
	ID:    "security.tls-no-plain-fallback",
	Title: "Never goes on without TLS",
	Why: "A fallback for bad days is what an attacker switches on: he lets the handshakes fail and the device sends its password in the clear. " +
		"It was added for convenience, and shipped.",
	Pass: "no byte that is not TLS in five attempts whose handshakes the endpoint resets, and in three that it answers with the alert handshake_failure; " +
		"the port that the device is configured with is watched, other ports of the host are not",
	Fix:          "remove the code path that connects without TLS; an unreachable cloud is to be reported, not worked around",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.5-6", "EN303645:5.8-1", "CRA:I.2e", "IOT10:I7"},
	Rows:         []string{"tls.downgrade.plain"},
	Sources:      []string{"RFC 9325 section 3.2", "emfcamp/badge-2024-software pull request 202 (fallback from https to http)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        10 * time.Minute,
	Run:          tlsNoPlainFallback,
}

func tlsNoPlainFallback(ctx context.Context, t *check.T) error {
	const handshakeFailure = 40 // RFC 8446 section 6.2
	for _, w := range []struct {
		presented string
		attempts  int
		impair    func() func()
	}{
		{"a reset in every handshake", 5, func() func() { return t.Endpoint.AbortHello(true) }},
		{"the alert handshake_failure to every ClientHello", 3, func() func() { return t.Endpoint.AlertHello(handshakeFailure) }},
	} {
		f, err := t.FaceEndpoint(ctx, w.presented, w.attempts, w.impair)
		if err != nil {
			return err
		}
		t.Find(judgePlain(f, w.presented)...)
	}
	return nil
}

// judgePlain finds a first byte that is no TLS record.
func judgePlain(f testbed.Faced, presented string) []check.Finding {
	for _, a := range f.Attempts {
		if a.Bytes == 0 || a.Secure != nil {
			continue
		}
		return []check.Finding{{
			Title:    "Speaks without TLS after " + presented,
			Expected: "a ClientHello at the start of every connection, or no connection",
			Seen:     "it began a connection with: " + a.BytesText,
			Evidence: check.Range(f.First, a.Last, "from the first attempt to the one in the clear"),
		}}
	}
	return nil
}
