package security

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSWeakCipher lets the endpoint choose a cipher suite that protects nothing.
var TLSWeakCipher = &check.Check{
	ID:    "security.tls-weak-cipher",
	Title: "Refuses broken cipher suites",
	Why: "With RC4, 3DES, export or NULL suites anybody on the way reads along, or soon will. " +
		"The server chooses the suite, so a device that accepts one is only as safe as the worst server that it meets.",
	Pass:         "no application byte over RC4 or 3DES, and no answer to a server that chooses a NULL or an export suite",
	Fix:          "configure the TLS library with ECDHE and AES-GCM, AES-CCM or ChaCha20 suites only",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.5-1", "CRA:I.2e", "ISTG:DES-CRYPT-001"},
	Rows:         []string{"tls.cipher.weak"},
	Sources:      []string{"RFC 9325 section 4.1", "RFC 7465", "badssl.com: rc4, 3des, null"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        15 * time.Minute,
	Run:          tlsWeakCipher,
}

func tlsWeakCipher(ctx context.Context, t *check.T) error {
	cert, err := t.PKI.Server(pki.RSA2048, t.Device.Part.Host)
	if err != nil {
		return err
	}
	err = t.RefusesTLS(ctx, "RC4 and 3DES suites only", endpoint.TLS{
		Certificate: cert, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
			tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_RC4_128_SHA,
		},
	})
	if err != nil {
		return err
	}
	// crypto/tls does not have the others; the endpoint chooses them by hand and sees whether the device goes on.
	const rsaNullSHA, rsaExportRC4 = 0x0002, 0x0003
	for _, suite := range []uint16{rsaNullSHA, rsaExportRC4} {
		presented := "the suite " + endpoint.CipherName(suite)
		f, err := t.FaceEndpoint(ctx, presented, 2, func() func() {
			// An RSA certificate, as these suites need, beneath the hand-made answer.
			certificate := t.Endpoint.Present(endpoint.TLS{Certificate: cert})
			offer := t.Endpoint.Offer(tls.VersionTLS12, suite)
			return func() { offer(); certificate() }
		})
		if err != nil {
			return err
		}
		t.Find(judgeOffered(f, presented)...)
	}
	return nil
}

// judgeOffered finds a device that goes on with a handshake after a suite that it should have refused. The handshake is never
// completed, so that there are no application bytes to judge by.
func judgeOffered(f testbed.Faced, presented string) []check.Finding {
	for _, a := range f.Attempts {
		if a.Secure == nil {
			continue
		}
		return []check.Finding{{
			Title:    "Goes on with a handshake after " + presented,
			Expected: "an alert or the end of the connection when the server chooses " + presented,
			Seen: fmt.Sprintf("on connection %d it sent its key exchange; its ClientHello offered the suite: %t", a.Conn,
				a.Hello != nil && strings.Contains(offered(a.Hello), endpoint.CipherName(a.Secure.CipherSuite))),
			Evidence: check.Range(a.First, a.Last, "the connection on which it went on"),
		}}
	}
	return check.Refused(f, presented)
}
