package security

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WeakPasswordHash looks at the algorithms of the hashes.
var WeakPasswordHash = &check.Check{
	ID:    "security.weak-password-hash",
	Title: "Hashes passwords with an algorithm that takes time",
	Why: "DES cuts passwords after eight characters, and a graphics card tries billions of them, or of MD5, in a minute. " +
		"Whoever has the hash has the password.",
	Pass:     "no hash in passwd, shadow or a password file is of traditional DES or of MD5 crypt",
	Fix:      "Hash with yescrypt, bcrypt or SHA-512 crypt (ENCRYPT_METHOD in login.defs, -a sha512 of BusyBox passwd), and set the password anew.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.1-3", "CRA:I.2e", "ISTG:FW-CRYPT-001", "IOT10:I1"},
	Rows:         []string{"CRED-HASH-WEAKALG"},
	Sources:      []string{"crypt(5): DES and MD5 are not recommended", "CWE-916"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("password hashes", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		suspects := suspectsOf([]*artefact.Facts{f})
		return len(suspects), judgeWeakHashes(suspects)
	}),
}

func judgeWeakHashes(suspects []suspect) (findings []check.Finding) {
	for _, s := range suspects {
		if s.hash.Weak {
			findings = append(findings, check.Finding{Title: "Hashes a password with " + s.hash.Scheme, Seen: several(s.places)})
		}
	}
	return findings
}
