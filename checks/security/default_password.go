package security

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/accounts"
	"github.com/shakedown-test/shakedown/artefact/crypt"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// DefaultPassword tries known passwords against the hashes.
var DefaultPassword = &check.Check{
	ID:    "security.default-password",
	Title: "Has no account with a password that is known",
	Why: "A hash hides no password that is in every list: botnets try it within minutes of the first connection. " +
		"Such passwords are forbidden by law in the United Kingdom since 2024, and by the CRA.",
	Pass:     "no password hash in passwd, shadow or a password file is that of one of the bundled words or of a name of the product; how many were tried is recorded",
	Fix:      "Lock the account, or give each unit a password of its own that is not made from what is printed or broadcast.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.1-1", "EN303645:5.1-2", "CRA:I.2b", "CRA:I.2d", "PSTI:1", "ISTG:FW-SCRT-003", "IOT10:I1", "NIST8425:IAC"},
	Rows:         []string{"CRED-HASH-DICT"},
	Sources:      []string{"crypt(5)", "artefact/accounts/words.csv: the list of Mirai and others"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: 2 * time.Second, Limit: 10 * time.Minute,

	Run: defaultPassword,
}

// guessing is the time that is spent on the hashes of all artefacts together.
const guessing = 30 * time.Second

// suspect is a hash with those that it stands for.
type suspect struct {
	hash   crypt.Hash
	places []string
}

func defaultPassword(ctx context.Context, t *check.T) error {
	names := []string{t.Product.Name}
	for _, p := range t.Product.Parts {
		names = append(names, p.Name, p.Host)
	}
	suspects := suspectsOf(t.Artefacts)
	for _, f := range t.Artefacts {
		for _, a := range f.Accounts {
			names = append(names, a.Name)
		}
	}
	words := append(slices.Clone(accounts.Defaults()), accounts.Of(names...)...)
	budget := guessing
	for _, s := range suspects {
		word, tried := accounts.Guess(ctx, s.hash, words, &budget)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.Record("%d of %d words were tried against the %s hash of %s", tried, len(words), s.hash.Scheme, several(s.places))
		t.Find(judgeGuess(s, word)...)
	}
	return t.LookedAt(len(suspects), "password hashes")
}

// suspectsOf are the hashes that can be tried, those that are tried the fastest first.
func suspectsOf(all []*artefact.Facts) (list []suspect) {
	var same groups[string]
	for _, f := range all {
		for _, a := range f.Accounts {
			if hashed(a) {
				same.add(a.Hash, fmt.Sprintf("%s in line %d of %s", a.Name, a.Line, a.Node.Path()))
			}
		}
		for _, s := range f.Secrets {
			if s.Rule.Kind == rules.Hash {
				same.add(s.Value, place(s.Node, s.Offset))
			}
		}
	}
	for _, text := range same.keys {
		if h, err := crypt.Parse(text); err == nil {
			list = append(list, suspect{h, same.of[text]})
		}
	}
	slices.SortStableFunc(list, func(a, b suspect) int { return cmp.Compare(a.hash.Cost, b.hash.Cost) })
	return list
}

// judgeGuess does not say the word: reports are read by more people than firmware.
func judgeGuess(s suspect, word *accounts.Word) []check.Finding {
	if word == nil {
		return nil
	}
	return []check.Finding{{
		Title: "Has a password that is known",
		Seen:  fmt.Sprintf("the %s hash of %s is that of a word of %d characters (%s)", s.hash.Scheme, several(s.places), len(word.Text), word.Source),
	}}
}
