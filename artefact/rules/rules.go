// Package rules finds secrets in raw bytes by rules that are data: words that stand in or beside a secret, what it looks like, and what
// proves that it is one. A token counts when its checksum or structure holds; what documentation shows as an example does not count.
package rules

import (
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
	Pattern   string   `yaml:"pattern"`   // RE2 from the first character on; the group "secret", or all of it, is the secret
	Near      int      `yaml:"near"`      // it is up to so many characters before, or twice as many behind, a keyword; 0: it begins there
	Unless    string   `yaml:"unless"`    // a class of characters of which none stands directly before it
	Line      int      `yaml:"line"`      // it is the line around a keyword: at most so many characters before it, and half as many behind
	Validator string   `yaml:"validator"` // what proves it
	Match     []string `yaml:"match"`     // texts in which it is found; ¦ is dropped, so that no other scanner stumbles over them
	Free      []string `yaml:"free"`      // texts in which it is not

	number  int // its place among the rules
	re      *regexp.Regexp
	runs    []runs // what the pattern says, its alternatives one by one
	unless  *class
	literal string // that stands in it, so many characters behind its beginning
	least   int
	most    int
	secret  int
	proves  validator
}

// Hit is a secret, with its place in the data that were searched.
type Hit struct {
	Rule        *Rule
	Offset, End int
	Secret      string // as it stands there, in UTF-8
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
	memo := 0
	for i, r := range list {
		r.number = i
		if err := r.prepare(); err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		for _, alternative := range r.runs {
			for i := range alternative.list {
				if run := &alternative.list[i]; run.most > longRun {
					memo++
					run.memo = memo
				}
			}
		}
	}
	return list, nil
}

// wholeLine is the pattern of rules that find lines.
const wholeLine = `^[^\n]+`

// prepare makes of what the rule says what it is read with.
func (r *Rule) prepare() (err error) {
	if r.re, err = regexp.Compile(r.Pattern); err != nil {
		return err
	}
	if r.proves = validators[r.Validator]; r.proves == nil {
		return fmt.Errorf("there is no validator %q", r.Validator)
	}
	r.secret = max(0, r.re.SubexpIndex("secret"))
	for _, k := range r.Keywords {
		if len(k) < 4 {
			return fmt.Errorf("keyword %q is shorter than four bytes", k)
		}
	}
	if r.runs, err = compile(r.Pattern); err != nil {
		return err
	}
	if r.Unless != "" {
		c, err := compile(r.Unless)
		if err != nil {
			return err
		}
		r.unless = c[0].list[0].class
	}
	if r.Line > 0 && r.Pattern != wholeLine {
		return fmt.Errorf("what it finds is a line, and its pattern is not %s", wholeLine)
	}
	if r.Near > 0 {
		if r.literal, r.least, r.most = r.runs[0].literal(); len(r.runs) > 1 || len(r.literal) < 2 || r.most > longRun {
			return fmt.Errorf("no two characters stand at one place in all that is found by %s", r.Pattern)
		}
	}
	return nil
}

// memos are how many long runs there are, and one for those that are none.
var memos = sync.OnceValue(func() int {
	most := 0
	for _, r := range load() {
		for _, alternative := range r.runs {
			for _, run := range alternative.list {
				most = max(most, run.memo)
			}
		}
	}
	return most + 1
})

// All are all rules.
func All() []*Rule { return load() }

// keyword is one that is searched for.
type keyword struct {
	rule *Rule
	wide bool
}

var keywords = sync.OnceValue(func() (list []keyword) {
	for _, r := range load() {
		for range r.Keywords {
			list = append(list, keyword{r, false}, keyword{r, true})
		}
	}
	return list
})

// Patterns are what has to be looked for, for Reader.Read: the keywords in ASCII and in UTF-16. Their ids count from first on.
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

var searcher = sync.OnceValue(func() *search.Searcher { return search.New(Patterns(0)) })

// Find reads all secrets in data.
func Find(data []byte) (hits []Hit) {
	r := NewReader(data)
	searcher().Each(data, func(id, at int) { r.Read(id, at, func(h Hit) { hits = append(hits, h) }) })
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
