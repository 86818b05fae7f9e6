package security

import (
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SharedSecret compares the passwords and tokens of several artefacts.
var SharedSecret = &check.Check{
	ID:    "security.shared-secret",
	Title: "Shares no password or token between units, models or versions",
	Why: "The same hash in two images is the same password, and nobody has to find out which to know that one opens both. " +
		"It is how a password that leaks from one model opens all of a maker.",
	Pass:     "no password hash, token or password in plain text is in two of the artefacts",
	Fix:      "Give each unit a password of its own, or let the user set it; let the token come from the set-up of the unit.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.1-1", "EN303645:5.4-3", "CRA:I.2b", "PSTI:1", "ISTG:FW-SCRT-003", "IOT10:I1"},
	Rows:         []string{"CRED-SHARED"},
	Sources:      []string{"crypt(5): hashes with the same salt are the same when the passwords are"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: compared(judgeSharedSecrets),
}

func judgeSharedSecrets(all []*artefact.Facts) []check.Finding {
	var found []shared
	for i, f := range all {
		for _, a := range f.Accounts {
			if hashed(a) {
				found = append(found, shared{i, a.Hash, "the password of " + a.Name, a.Node.Path()})
			}
		}
		for _, s := range f.Secrets {
			if s.Rule.Kind == rules.Log {
				continue
			}
			found = append(found, shared{i, s.Value, s.Rule.What + " " + s.Shown(), place(s.Node, s.Offset)})
		}
		for _, s := range f.Assignments {
			if s.Secret() {
				found = append(found, shared{i, s.Value, s.Key + ", " + artefact.Shown(s.Value), lineOf(s)})
			}
		}
	}
	return judgeShared("Shares a secret between artefacts: ", found)
}

// hashed says whether an account has a password, which stands there as a hash.
func hashed(a artefact.Account) bool {
	h := strings.TrimLeft(a.Hash, "!*")
	return h == a.Hash && len(h) >= 13
}
