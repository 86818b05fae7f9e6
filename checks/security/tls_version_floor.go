package security

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSVersionFloor offers only the TLS versions that are forbidden.
var TLSVersionFloor = &check.Check{
	ID:    "security.tls-version-floor",
	Title: "Refuses TLS 1.0 and TLS 1.1",
	Why: "Whoever sits between device and cloud can offer the oldest version that the device takes. " +
		"TLS 1.0 and 1.1 rest on MD5 and SHA-1 and are forbidden since 2021; auditors and app stores look for them.",
	Pass:         "no application byte to an endpoint that speaks TLS 1.0 only, and none to one that speaks TLS 1.1 only; to offer them is a minor finding",
	Fix:          "set the lowest version of the TLS library to 1.2",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.5-1", "CRA:I.2e", "ISTG:DES-CRYPT-001"},
	Rows:         []string{"tls.version.floor"},
	Sources:      []string{"RFC 8996 sections 4 and 5", "RFC 9325 section 3.1.1", "badssl.com: tls-v1-0, tls-v1-1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run:          tlsVersionFloor,
}

// tlsVersionFloor presents an RSA certificate, which the clients of that time understand, and suites of that time, so that nothing but
// the version is a reason to refuse.
func tlsVersionFloor(ctx context.Context, t *check.T) error {
	a, err := greeting(ctx, t)
	if err != nil {
		return err
	}
	t.Find(judgeVersionOffer(a)...)
	cert, err := t.PKI.Server(pki.RSA2048, t.Device.Part.Host)
	if err != nil {
		return err
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		as := endpoint.TLS{Certificate: cert, MinVersion: version, MaxVersion: version, CipherSuites: oldSuites(a.Hello)}
		if err := t.RefusesTLS(ctx, endpoint.VersionName(version)+" only", as); err != nil {
			return err
		}
	}
	return nil
}

// oldSuites are suites that TLS 1.0 and 1.1 can use and that are not broken themselves. Those with RSA key transport come first, if
// they are offered: with ECDHE the server signs with SHA-1 and MD5, which a library may refuse while it takes the version.
func oldSuites(h *endpoint.Hello) []uint16 {
	static := []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}
	if slices.ContainsFunc(static, func(suite uint16) bool { return slices.Contains(h.CipherSuites, suite) }) {
		return static
	}
	return []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}
}

// judgeVersionOffer looks for old versions in the ClientHello, whatever becomes of them.
func judgeVersionOffer(a testbed.Attempt) []check.Finding {
	var old []string
	for _, v := range a.Hello.Versions {
		if v < tls.VersionTLS12 {
			old = append(old, endpoint.VersionName(v))
		}
	}
	if len(old) == 0 {
		return nil
	}
	return []check.Finding{{
		Severity: check.Minor,
		Title:    "Offers TLS versions that are forbidden",
		Expected: "TLS 1.2 and later only in the ClientHello (RFC 8996 sections 4 and 5)",
		Seen:     "it offers " + strings.Join(old, " and ") + " as well",
		Evidence: check.Range(a.First, a.Last, "the connection with the ClientHello"),
	}}
}
