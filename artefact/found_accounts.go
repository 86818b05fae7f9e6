package artefact

import (
	"path"

	"github.com/shakedown-test/shakedown/artefact/accounts"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Account is one with the file that it stands in.
type Account struct {
	accounts.Account
	Node *tree.Node
}

// findAccounts reads account files.
func findAccounts(c content, found *Found) {
	if c.node.File == nil || c.at > 0 {
		return
	}
	for _, a := range accounts.Parse(path.Base(c.node.Name), c.data) {
		found.Accounts = append(found.Accounts, Account{a, c.node})
	}
}
