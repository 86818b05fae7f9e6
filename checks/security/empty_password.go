package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// EmptyPassword looks for accounts that anybody can log in to.
var EmptyPassword = &check.Check{
	ID:       "security.empty-password",
	Title:    "Has no account that lets anybody in without a password",
	Why:      "Whoever finds a console, telnet or SSH on the device is in. Mirai and its heirs live on such accounts.",
	Pass:     "no account with a login shell has an empty password in passwd or shadow",
	Fix:      "Lock the account: put ! or * in the place of the password, or give each unit a password of its own.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.1-1", "CRA:I.2b"},
	Rows:         []string{"CRED-EMPTY"},
	Sources:      []string{"passwd(5), shadow(5): an empty field means that no password is asked for"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("accounts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Accounts), judgeEmptyPasswords(f.Accounts)
	}),
}

// judgeEmptyPasswords finds accounts with an empty password. What passwd says of the shell holds for shadow of the same file system.
func judgeEmptyPasswords(all []artefact.Account) (findings []check.Finding) {
	login := map[string]bool{} // by root of the file system and name: whether passwd lets them in
	key := func(a artefact.Account) string { return a.Node.Root().Path() + "\x00" + a.Name }
	for _, a := range all {
		if !a.Shadow {
			login[key(a)] = a.Login()
		}
	}
	for _, a := range all {
		if in, told := login[key(a)]; a.Hash != "" || told && !in {
			continue
		}
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Lets anybody in as %s, without a password", a.Name),
			Seen:  fmt.Sprintf("the password of %s is empty in line %d of %s", a.Name, a.Line, a.Node.Path()),
		})
	}
	return findings
}
