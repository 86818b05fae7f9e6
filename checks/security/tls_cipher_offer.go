package security

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// TLSCipherOffer reads which cipher suites the device offers.
var TLSCipherOffer = &check.Check{
	ID:    "security.tls-cipher-offer",
	Title: "Offers sound cipher suites only",
	Why: "What a device offers is public and what a careless server may choose. " +
		"Clouds switch old suites off on a date; a device without a modern one is offline from then on.",
	Pass: "the ClientHello offers no RC4, DES, 3DES, NULL, export or anonymous suite, and at least one with ECDHE and AES-GCM, AES-CCM or ChaCha20; " +
		"RSA key transport beside them is a minor finding",
	Fix:          "configure the list of suites of the TLS library; the defaults of old SDKs are too long",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.5-1", "CRA:I.2e", "ISTG:DES-CRYPT-001"},
	Rows:         []string{"tls.cipher.offer"},
	Sources:      []string{"RFC 9325 section 4.1", "AWS IoT Device Advisor, test TLS Device Support for AWS IoT Cipher Suites (asks for one of its own list)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		a, err := greeting(ctx, t)
		if err != nil {
			return err
		}
		t.Record("offers %s", offered(a.Hello))
		t.Find(judgeCipherOffer(a)...)
		return nil
	},
}

// greeting is the connection on which the device came online, with the ClientHello that it sent there.
func greeting(ctx context.Context, t *check.T) (testbed.Attempt, error) {
	t.Step("read the ClientHello of an ordinary connection")
	s, err := t.Online(ctx)
	if err != nil {
		return testbed.Attempt{}, err
	}
	a := s.Attempt(t.Bed)
	if a.Hello == nil {
		return a, check.NotRun("see the endpoint's events in the evidence", "no ClientHello was seen on the connection that was accepted")
	}
	return a, nil
}

// offered names the suites of a ClientHello in their order.
func offered(h *endpoint.Hello) string {
	names := make([]string, len(h.CipherSuites))
	for i, suite := range h.CipherSuites {
		names[i] = endpoint.CipherName(suite)
	}
	return strings.Join(names, ", ")
}

func judgeCipherOffer(a testbed.Attempt) []check.Finding {
	var broken, static []string
	sound := false
	for _, suite := range a.Hello.CipherSuites {
		name := endpoint.CipherName(suite)
		switch {
		case brokenSuite(name):
			broken = append(broken, name)
		case soundSuite(name):
			sound = true
		case strings.HasPrefix(name, "TLS_RSA_WITH_"):
			static = append(static, name)
		}
	}
	var found []check.Finding
	add := func(severity check.Severity, title, expected, seen string) {
		found = append(found, check.Finding{
			Severity: severity, Title: title, Expected: expected, Seen: seen,
			Evidence: check.Range(a.First, a.Last, "the connection with the ClientHello"),
		})
	}
	if len(broken) > 0 {
		add("", "Offers broken cipher suites", "no RC4, DES, 3DES, NULL, export or anonymous suite in the ClientHello",
			fmt.Sprintf("%d of %d suites: %s", len(broken), len(a.Hello.CipherSuites), strings.Join(broken, ", ")))
	}
	if !sound {
		add("", "Offers no modern cipher suite", "at least one suite with ECDHE, or of TLS 1.3, and AES-GCM, AES-CCM or ChaCha20", offered(a.Hello))
	}
	if len(static) > 0 {
		add(check.Minor, "Offers suites without forward secrecy", "no suite with RSA key transport (RFC 9325 section 4.1)",
			fmt.Sprintf("%d of %d suites: %s", len(static), len(a.Hello.CipherSuites), strings.Join(static, ", ")))
	}
	return found
}

// brokenSuite reports whether a suite of that name must not be used (RFC 9325 section 4.1).
func brokenSuite(name string) bool {
	return slices.ContainsFunc([]string{"_RC4_", "_RC2_", "_3DES_", "_DES_", "_DES40_", "_IDEA_", "_NULL_", "_EXPORT_", "_anon_"},
		func(word string) bool { return strings.Contains(name, word) })
}

// soundSuite reports whether a suite of that name is forward secret and authenticated encryption.
func soundSuite(name string) bool {
	aead := strings.Contains(name, "_GCM") || strings.Contains(name, "_CCM") || strings.Contains(name, "CHACHA20")
	return aead && (strings.HasPrefix(name, "TLS_ECDHE_") || !strings.Contains(name, "_WITH_"))
}
