package security

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// PrivateKeyDER looks for private keys in binary form.
var PrivateKeyDER = &check.Check{
	ID:    "security.private-key-der",
	Title: "Holds no private key in binary form",
	Why: "Keys that are compiled into a program or lie in flash as they are show in no search for text, and those who take devices apart look for them all the same. " +
		"Whoever has one can pretend to be every unit, or to be what they trust.",
	Pass:     "no bytes, at whatever place, are an RSAPrivateKey, ECPrivateKey or PrivateKeyInfo in DER whose numbers fit each other",
	Fix:      "Make the key in the unit, when it is first started or made, and keep it in a secure element or in flash that updates do not write. Replace the one that was shipped.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.4-3", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7", "NIST8425:DP"},
	Rows:         []string{"KEY-PRIV-DER"},
	Sources:      []string{"RFC 8017 appendix A.1.2", "RFC 5915 section 3", "RFC 5958 section 2"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgePrivateKeys(f.PrivateKeys, "DER")
	}),
}
