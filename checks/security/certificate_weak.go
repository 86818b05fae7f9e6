package security

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// CertificateWeak looks for certificates that can be forged.
var CertificateWeak = &check.Check{
	ID:       "security.certificate-weak",
	Title:    "Uses no certificate with a weak signature or key",
	Why:      "Who can forge a certificate can be the cloud to a device, or a device to the cloud. Modern TLS libraries refuse such certificates, so the product breaks when its library is updated.",
	Pass:     "no MD2, MD5 or SHA-1 signature except of a root on itself, no RSA key below 2048 bits and no elliptic one below 224; of stores only what stands by itself counts",
	Fix:      "Issue it anew with SHA-256 and an elliptic key of 256 bits, or RSA of 2048 or more.",
	Severity: check.Minor,

	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"CERT-WEAK"},
	Sources:      []string{"NIST SP 800-131A revision 2 sections 3 and 9", "RFC 9155 (MD5 and SHA-1 in signatures of TLS)"},

	Needs:   check.Needs{Real: product.Inspected},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: certificateWeak,
}

func certificateWeak(_ context.Context, t *check.T) error {
	looked := 0
	for _, f := range judge.Shipped(t.Artefacts) {
		for _, c := range judge.Certificates(f) {
			if c.Use == judge.Own || c.Use == judge.Anchor {
				looked++
				t.Find(judgeWeakCertificate(c.Certificate, c.Where())...)
			}
		}
	}
	for _, e := range judge.Endpoints(t.Artefacts) {
		for _, c := range e.Sent {
			looked++
			t.Find(judgeWeakCertificate(c, "what "+e.Name+" sends")...)
		}
	}
	t.Record("%d certificates were looked at", looked)
	return t.LookedAt(looked, "certificates of its own")
}

// judgeWeakCertificate finds a weak signature and a weak key. The signature of a root on itself protects nothing.
func judgeWeakCertificate(c *x509.Certificate, where string) (findings []check.Finding) {
	weak := func(what string) {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Uses the certificate %s with %s", trust.Name(c), what),
			Seen:  fmt.Sprintf("it lies in %s and ends on %s; SHA-256 %s", where, judge.Day(c.NotAfter), trust.Fingerprint(c)),
		})
	}
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		if !trust.Self(c) && c.Subject.String() != c.Issuer.String() {
			weak("a signature of " + c.SignatureAlgorithm.String())
		}
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < 2048 {
			weak(fmt.Sprintf("an RSA key of %d bits", n))
		}
	case *ecdsa.PublicKey:
		if n := key.Curve.Params().BitSize; n < 224 {
			weak(fmt.Sprintf("an elliptic key of %d bits", n))
		}
	}
	return findings
}
