package security

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SharedCertificate compares the client certificates of several artefacts.
var SharedCertificate = &check.Check{
	ID:    "security.shared-certificate",
	Title: "Shares no device certificate between units, models or versions",
	Why: "To the cloud, units with the same certificate are one: they take each other's sessions, and the one that was stolen cannot be shut out without the others. " +
		"The key in one of them speaks for all.",
	Pass:     "no certificate for clients, and none of which the artefact has the private key, is in two of the artefacts",
	Fix:      "Issue each unit a certificate of its own when it is made or first connects.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.4-2", "CRA:I.2d", "ISTG:FW-SCRT-003", "IOT10:I1"},
	Rows:         []string{"CERT-IDENT"},
	Sources:      []string{"AWS IoT Device Defender audit: shared device certificates"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: compared(judgeSharedCertificates),
}

func judgeSharedCertificates(all []*artefact.Facts) []check.Finding {
	var found []shared
	for i, f := range all {
		own := map[string]bool{}
		for _, k := range f.PrivateKeys {
			own[k.Key.Fingerprint()] = k.Key != nil
		}
		for _, c := range f.Certificates {
			if client := slices.Contains(c.Cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !c.Cert.IsCA; !client && !own[keys.OfCertificate(c.Cert).Fingerprint()] {
				continue
			}
			h := sha256.Sum256(c.Cert.Raw)
			found = append(found, shared{i, string(h[:]), c.Cert.Subject.String() + ", SHA-256 " + hex.EncodeToString(h[:]), place(c.Node, c.Offset)})
		}
	}
	return judgeShared("Shares a device certificate between artefacts: ", found)
}
