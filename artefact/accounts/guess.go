package accounts

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/csv"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/artefact/crypt"
)

// Word is a password that may be tried.
type Word struct {
	Text   string
	Source string // who knows it
}

//go:embed words.csv
var words []byte

// Defaults are passwords that are known to open devices, those that botnets try first.
var Defaults = sync.OnceValue(func() (list []Word) {
	rows, err := csv.NewReader(bytes.NewReader(words)).ReadAll()
	if err != nil {
		panic("accounts: words.csv: " + err.Error()) // the program's own data
	}
	for _, r := range rows[1:] {
		list = append(list, Word{r[0], r[1]})
	}
	return list
})

// Of makes words of the names of a product: whole and in parts, as they stand and in lower case, alone and with what is put behind.
func Of(names ...string) (list []Word) {
	seen := map[string]bool{}
	add := func(w string) {
		if len(w) >= 3 && len(w) <= 40 && !seen[w] {
			seen[w] = true
			list = append(list, Word{w, "a name of the product"})
		}
	}
	for _, name := range names {
		parts := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" .-_,()/", r) })
		if len(parts) > 6 {
			parts = parts[:6]
		}
		for _, p := range append([]string{strings.Join(parts, "")}, parts...) {
			for _, w := range []string{p, strings.ToLower(p)} {
				add(w)
				for _, tail := range []string{"123", "1234", "1", "!"} {
					add(w + tail)
				}
			}
		}
	}
	return list[:min(len(list), 300)]
}

// Guess tries words against a hash, as many as the budget of time allows, from which it takes what they cost. It returns the word that
// opens it, if one does, and how many were tried.
func Guess(ctx context.Context, h crypt.Hash, words []Word, budget *time.Duration) (found *Word, tried int) {
	for i := range words {
		if ctx.Err() != nil || *budget < h.Cost {
			return nil, tried
		}
		*budget -= h.Cost
		tried++
		if h.Opens(words[i].Text) {
			return &words[i], tried
		}
	}
	return nil, tried
}
