package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// PrivateKeyPEM looks for private keys in text form.
var PrivateKeyPEM = &check.Check{
	ID:    "security.private-key-pem",
	Title: "Holds no private key in text form",
	Why: "A key in an image is the same in every unit, and everybody can download the image or read it out of one. " +
		"Whoever has it can pretend to be each of them, or to be what they trust.",
	Pass:     "no PEM, OpenSSH or base64 text decodes to a private key whose numbers fit each other; one that is encrypted counts as well",
	Fix:      "Make the key in the unit, when it is first started or made, and keep it where updates do not come from. Replace the one that was shipped.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.4-3", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7", "NIST8425:DP"},
	Rows:         []string{"KEY-PRIV-PEM"},
	Sources:      []string{"RFC 7468", "PROTOCOL.key of OpenSSH"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgePrivateKeys(f.PrivateKeys, "PEM", "OpenSSH", "base64")
	}),
}

// judgePrivateKeys finds the keys of the forms that are written in one of these ways. Host keys of SSH have a check of their own.
func judgePrivateKeys(all []artefact.PrivateKey, forms ...string) (findings []check.Finding) {
	var same groups[string]
	what := map[string]*keys.Private{}
	for _, k := range all {
		for _, form := range forms {
			if k.Form == form && !hostKey(k) {
				what[k.Secret] = k.Private
				same.add(k.Secret, place(k.Node, k.Offset))
			}
		}
	}
	for _, secret := range same.keys {
		k := what[secret]
		f := check.Finding{Title: "Holds an " + k.String(), Seen: several(same.of[secret])}
		if k.Encrypted {
			f.Severity = check.Major
			f.Seen += "; it takes a passphrase to use it, which the device must have somewhere"
		} else {
			f.Title = "Holds a private key: " + k.String()
			f.Seen += fmt.Sprintf("; SHA-256 of its public key: %s", shortPrint(k.Key))
		}
		findings = append(findings, f)
	}
	return findings
}

// shortPrint is what is shown of a fingerprint.
func shortPrint(k *keys.Key) string {
	if p := k.Fingerprint(); p != "" {
		return p
	}
	return "not known"
}
