package security

import (
	"testing"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/accounts"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

func TestJudgeEmptyPasswords(t *testing.T) {
	fs := &tree.Node{Name: "rootfs"}
	file := func(name string) *tree.Node { return &tree.Node{Name: name, File: &tree.File{}, Parent: fs} }
	passwd, shadow := file("etc/passwd"), file("etc/shadow")
	line := func(n *tree.Node, name, hash, shell string) artefact.Account {
		return artefact.Account{Account: accounts.Account{Name: name, Hash: hash, Shell: shell, Shadow: n == shadow, Line: 1}, Node: n}
	}
	for name, c := range map[string]struct {
		all  []artefact.Account
		want int
	}{
		"locked":             {[]artefact.Account{line(passwd, "root", "x", "/bin/sh"), line(shadow, "root", "!", "")}, 0},
		"a hash":             {[]artefact.Account{line(shadow, "root", "$6$a$b", "")}, 0},
		"empty in passwd":    {[]artefact.Account{line(passwd, "root", "", "/bin/sh")}, 1},
		"empty in shadow":    {[]artefact.Account{line(passwd, "root", "x", "/bin/sh"), line(shadow, "root", "", "")}, 1},
		"empty and no shell": {[]artefact.Account{line(passwd, "nobody", "x", "/bin/false"), line(shadow, "nobody", "", "")}, 0},
		"shadow alone":       {[]artefact.Account{line(shadow, "root", "", "")}, 1},
	} {
		if got := judgeEmptyPasswords(c.all); len(got) != c.want {
			t.Errorf("%s: %v, want %d findings", name, got, c.want)
		}
	}
}
