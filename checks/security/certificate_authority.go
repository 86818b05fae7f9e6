package security

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// CertificateAuthority looks for devices that may issue certificates, or that vouch for themselves.
var CertificateAuthority = &check.Check{
	ID:       "security.certificate-authority",
	Title:    "Has a device certificate that somebody issued and that issues none",
	Why:      "A device certificate that is an authority lets whoever takes it out of one device make certificates for any. One that signed itself proves nothing, and each has to be trusted by hand.",
	Pass:     "no certificate for clients, and none whose private key lies beside it, is an authority or signed by its own key",
	Fix:      "Issue device certificates from an authority of your own, with CA:FALSE.",
	Severity: check.Minor,

	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"CERT-CA-LEAF"},
	Sources:      []string{"RFC 5280 section 4.2.1.9"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("device certificates", func(f *artefact.Facts, _ *check.T) (looked int, findings []check.Finding) {
		for _, c := range judge.Certificates(f) {
			if deviceCertificate(c) {
				looked++
				findings = append(findings, judgeDeviceCertificate(c)...)
			}
		}
		return looked, findings
	}),
}

// deviceCertificate reports whether a certificate says who the device is: its key is here, or it is for clients. An authority whose key is
// not here may be that of the devices, or of their server.
func deviceCertificate(c judge.Certificate) bool {
	return c.Use != judge.Example && (c.Keyed || c.Use == judge.Own && slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth))
}

// judgeDeviceCertificate finds one that is an authority, or that signed itself.
func judgeDeviceCertificate(c judge.Certificate) []check.Finding {
	f := check.Finding{Seen: fmt.Sprintf("it lies in %s and ends on %s", c.Where(), judge.Day(c.NotAfter))}
	if c.Keyed {
		f.Seen += "; its private key is in the same image"
	}
	switch {
	case trust.Authority(c.Certificate):
		f.Title = fmt.Sprintf("Has the device certificate %s, which may issue others", trust.Name(c.Certificate))
	case trust.Self(c.Certificate):
		f.Title = fmt.Sprintf("Has the device certificate %s, which signed itself", trust.Name(c.Certificate))
	default:
		return nil
	}
	return []check.Finding{f}
}
