package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ExtraRoot looks for accounts with the rights of root under another name.
var ExtraRoot = &check.Check{
	ID:    "security.extra-root",
	Title: "Has one account with the rights of root",
	Why: "A second account with user id 0 is how service doors were built into routers and cameras. " +
		"Who locks root does not lock it.",
	Pass:     "no account but root has the user id 0 in passwd",
	Fix:      "Give the account a user id of its own, and the rights it needs one by one.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-7", "CRA:I.2j", "ISTG:FW[INST]-AUTHZ-002", "IOT10:I9"},
	Rows:         []string{"CRED-UID0"},
	Sources:      []string{"passwd(5): user id 0 is the superuser"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("accounts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Accounts), judgeExtraRoots(f.Accounts)
	}),
}

// judgeExtraRoots finds them. Where root itself goes by another name, as "admin" on many routers, that is the one.
func judgeExtraRoots(all []artefact.Account) (findings []check.Finding) {
	var files groups[artefact.Account]
	for _, a := range all {
		if !a.Shadow && a.UID == 0 {
			files.add(a.Node.Path(), a)
		}
	}
	for _, file := range files.keys {
		roots := files.of[file]
		named := false
		for _, a := range roots {
			named = named || a.Name == "root"
		}
		for i, a := range roots {
			if a.Name == "root" || !named && i == 0 {
				continue
			}
			f := check.Finding{
				Title: fmt.Sprintf("Gives %s the rights of root", a.Name),
				Seen:  fmt.Sprintf("user id 0 in line %d of %s", a.Line, file),
			}
			if !a.Login() {
				f.Severity = check.Minor
				f.Seen += ", without a login shell"
			}
			findings = append(findings, f)
		}
	}
	return findings
}
