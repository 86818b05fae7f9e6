// Package rules finds secrets in raw bytes by rules that are data: words that stand in or beside a secret, what it looks like, and what
// proves that it is one. A token counts when its checksum or structure holds; what documentation shows as an example does not count.
package rules

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// Kind is what a secret opens, by which checks choose.
type Kind string

// The kinds.
const (
	Cloud  Kind = "cloud"  // accounts with a provider
	JWT    Kind = "jwt"    // a session, whoever it is with
	Broker Kind = "broker" // a message broker
	Login  Kind = "login"  // a user name and password in a URL
	Hash   Kind = "hash"   // a password hash, wherever it stands
	Log    Kind = "log"    // no secret, but what prints one
)

// Rule says how one sort of secret is found. The rules are in rules.yaml.
type Rule struct {
	ID        string   `yaml:"id"`
	Kind      Kind     `yaml:"kind"`
	What      string   `yaml:"what"`      // "GitHub token"
	Why       string   `yaml:"why"`       // what it opens
	Keywords  []string `yaml:"keywords"`  // one of them stands in or near it; four bytes or more
	Fold      bool     `yaml:"fold"`      // in letters of either case
	Pattern   string   `yaml:"pattern"`   // RE2; the group "secret", or all of it, is the secret
	Near      int      `yaml:"near"`      // it is up to so many bytes before or behind a keyword; 0: it begins there
	Validator string   `yaml:"validator"` // what proves it
	Match     []string `yaml:"match"`     // texts in which it is found; ¦ is dropped, so that no other scanner stumbles over them
	Free      []string `yaml:"free"`      // texts in which it is not

	re     *regexp.Regexp
	secret int
	proves validator
}

// Hit is a secret, with its place in the data that were searched.
type Hit struct {
	Rule        *Rule
	Offset, End int
	Secret      string // as it stands there, in UTF-8
	Text        string // all that the pattern matched
}

//go:embed rules.yaml
var source []byte

// load parses the rules, once: they are the program's own, so that a mistake in them panics.
var load = sync.OnceValue(func() []*Rule {
	list, err := parse(source)
	if err != nil {
		panic(err)
	}
	return list
})

func parse(source []byte) (list []*Rule, err error) {
	if err := yaml.UnmarshalWithOptions(source, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("read the rules: %w", err)
	}
	for _, r := range list {
		if r.re, err = regexp.Compile(r.Pattern); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		if r.proves = validators[r.Validator]; r.proves == nil {
			return nil, fmt.Errorf("rule %s: there is no validator %q", r.ID, r.Validator)
		}
		r.secret = max(0, r.re.SubexpIndex("secret"))
		for _, k := range r.Keywords {
			if len(k) < 4 {
				return nil, fmt.Errorf("rule %s: keyword %q is shorter than four bytes", r.ID, k)
			}
		}
	}
	return list, nil
}

// All are all rules.
func All() []*Rule { return load() }

// word is one that is searched for.
type word struct {
	rule *Rule
	wide bool
}

var words = sync.OnceValue(func() (list []word) {
	for _, r := range load() {
		for range r.Keywords {
			list = append(list, word{r, false}, word{r, true})
		}
	}
	return list
})

// Patterns are what has to be looked for, for Read: the keywords in ASCII and in UTF-16. Their ids count from first on.
func Patterns(first int) (list []search.Pattern) {
	for _, r := range load() {
		for _, k := range r.Keywords {
			list = append(list,
				search.Pattern{Bytes: k, Fold: r.Fold, ID: first + len(list)},
				search.Pattern{Bytes: search.Wide(k), Fold: r.Fold, ID: first + len(list) + 1})
		}
	}
	return list
}

const reach = 1024 // characters that a secret with what belongs to it may be long

// Read reads the secret around a hit at data[at:] of the pattern with that id, with the first id taken off.
func Read(pattern int, data []byte, at int) (Hit, bool) {
	w := words()[pattern]
	step := 1
	if w.wide {
		step = 2
	}
	from := max(at%step, at-step*w.rule.Near)
	to := min(len(data), at+step*reach)
	if w.rule.Near > 0 {
		to = min(len(data), at+step*2*w.rule.Near)
	}
	window := data[from:to]
	if w.wide {
		window = search.Narrow(window)
	}
	if w.rule.Near == 0 {
		// What ends a string ends the search: no pattern goes beyond.
		if end := bytes.IndexByte(window, 0); end >= 0 {
			window = window[:end]
		}
	}
	groups := w.rule.re.FindSubmatchIndex(window)
	if groups == nil {
		return Hit{}, false
	}
	m := match{window, groups, w.rule}
	if !w.rule.proves(m) {
		return Hit{}, false
	}
	begin, end := groups[2*w.rule.secret], groups[2*w.rule.secret+1]
	return Hit{
		Rule: w.rule, Offset: from + step*begin, End: from + step*end,
		Secret: string(window[begin:end]), Text: string(window[groups[0]:groups[1]]),
	}, true
}

var searcher = sync.OnceValue(func() *search.Searcher { return search.New(Patterns(0)) })

// Find reads all secrets in data.
func Find(data []byte) (hits []Hit) {
	searcher().Each(data, func(id, at int) {
		if h, ok := Read(id, data, at); ok {
			hits = append(hits, h)
		}
	})
	return hits
}

// Redact shows of a secret what helps to find it: its first four characters and its length.
func Redact(secret string) string {
	shown := ""
	if r := []rune(strings.Map(printable, secret)); len(r) >= 12 {
		shown = string(r[:4])
	}
	return fmt.Sprintf("%s… (%d characters)", shown, len([]rune(secret)))
}

func printable(r rune) rune {
	if r < 0x20 || r == 0x7f {
		return '?'
	}
	return r
}
