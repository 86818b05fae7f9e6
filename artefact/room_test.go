package artefact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/artefact/accounts"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// What is kept of a content that is made to fill the memory stays within the room that there is.
func TestRoom(t *testing.T) {
	var text strings.Builder
	for n := range 10_000 {
		fmt.Fprintf(&text, "http://h%d.reference.test/%s\nftp://u:Qu1etRain%d@h.reference.test\n", n, strings.Repeat("a", 100), n)
	}
	const room = 1 << 20
	d := &desk{}
	d.room.Store(room)
	f := &Found{desk: d}
	findSecrets(content{node: &tree.Node{Name: "x"}, data: []byte(text.String()), whole: true}, f)
	kept := len(f.Addresses)*addressWeight + len(f.Secrets)*secretWeight
	if len(f.Addresses) == 0 || len(f.Secrets) == 0 || kept > room || d.room.Load() >= 0 {
		t.Errorf("%d addresses and %d secrets are kept, %d bytes of them are counted and %d left", len(f.Addresses), len(f.Secrets), kept, d.room.Load())
	}
	f.Accounts = []Account{{Account: accounts.Account{Name: "root"}}}
	if !f.settle() || f.Accounts != nil {
		t.Errorf("when the room is full accounts are kept: %v", f.Accounts)
	}
}

// Facts that nobody asked room for are counted.
func TestSettle(t *testing.T) {
	d := &desk{}
	d.room.Store(1 << 20)
	f := &Found{desk: d}
	if f.settle() {
		t.Error("something is left of nothing")
	}
	f.Accounts = []Account{{Account: accounts.Account{Name: strings.Repeat("a", 1000)}}}
	if !f.settle() || len(f.Accounts) != 1 || d.room.Load() > 1<<20-1000 || d.room.Load() < 1<<20-2000 {
		t.Errorf("%d accounts, %d bytes left", len(f.Accounts), d.room.Load())
	}
}
