package rules

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/artefact/search"
)

// plain finds what Find does, in the plainest way: every keyword by itself, and RE2 wherever a pattern may begin.
func plain(data []byte) map[string]bool {
	all := map[string]bool{}
	for from := range 3 { // the bytes, and UTF-16 from an even and from an odd place
		text, step := data, 1
		if from > 0 {
			text, step = search.Narrow(data[min(from-1, len(data)):]), 2
		}
		for _, rule := range All() {
			tell := func(m match) {
				if m.rule.proves(m) {
					begin, end := m.place()
					at := max(0, from-1) + step*begin
					all[fmt.Sprintf("%s %d-%d %s", rule.ID, at, at+step*(end-begin), m.text[begin:end])] = true
				}
			}
			at := keywordsIn(text, rule)
			switch {
			case rule.Line > 0:
				plainLines(text, rule, at, tell)
			case rule.Near > 0:
				plainNear(text, rule, at, tell)
			default:
				for _, c := range at {
					if groups := plainMatch(text, rule, c); groups != nil {
						tell(match{text[:min(len(text), c+reach)], groups, rule})
					}
				}
			}
		}
	}
	return all
}

// keywordsIn are the places at which keywords of a rule stand.
func keywordsIn(text []byte, rule *Rule) (at []int) {
	all := string(text)
	if rule.Fold {
		all = small(text)
	}
	for _, k := range rule.Keywords {
		if rule.Fold {
			k = small([]byte(k))
		}
		for i := 0; i < len(all); i++ {
			next := strings.Index(all[i:], k)
			if next < 0 {
				break
			}
			i += next
			at = append(at, i)
		}
	}
	return at
}

// small makes small letters of A to Z.
func small(b []byte) string {
	b = bytes.Clone(b)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] |= 0x20
		}
	}
	return string(b)
}

// plainMatch is what RE2 says of a place; up to NUL, which ends every string.
func plainMatch(text []byte, rule *Rule, at int) []int {
	window := text[at:min(len(text), at+reach)]
	if end := bytes.IndexByte(window, 0); end >= 0 {
		window = window[:end]
	}
	groups := rule.re.FindSubmatchIndex(window)
	for i := range groups {
		groups[i] += at
	}
	return groups
}

func plainNear(text []byte, rule *Rule, keywords []int, tell func(match)) {
	near := make([]bool, len(text))
	for _, c := range keywords {
		for i := max(0, c-rule.Near); i < min(len(text), c+2*rule.Near); i++ {
			near[i] = true
		}
	}
	last := span{}
	for at := range text {
		if !near[at] || !bytes.HasPrefix(text[at:], []byte(rule.literal)) {
			continue
		}
		for start := max(0, at-rule.most); start <= at-rule.least; start++ {
			if last.from <= start && start < last.to || start > 0 && rule.unless != nil && rule.unless.has(rune(text[start-1])) {
				continue
			}
			if groups := plainMatch(text, rule, start); groups != nil {
				tell(match{text[:min(len(text), start+reach)], groups, rule})
				last = span{start, groups[1]}
				break
			}
		}
	}
}

func plainLines(text []byte, rule *Rule, keywords []int, tell func(match)) {
	for _, c := range keywords {
		from, to := c, c
		for from > 0 && c-from < rule.Line && text[from-1] != '\n' && text[from-1] != 0 {
			from--
		}
		for to < len(text) && to-c < rule.Line/2 && text[to] != '\n' && text[to] != 0 {
			to++
		}
		line := text[from:to]
		if groups := rule.re.FindSubmatchIndex(line); groups != nil {
			for i := range groups {
				groups[i] += from
			}
			tell(match{text[:to], groups, rule})
		}
	}
}

// differ holds Find against plain.
func differ(t *testing.T, data []byte) {
	t.Helper()
	got := map[string]bool{}
	for _, h := range Find(data) {
		got[fmt.Sprintf("%s %d-%d %s", h.Rule.ID, h.Offset, h.End, h.Secret)] = true
	}
	want := plain(data)
	if !maps.Equal(got, want) {
		for k := range want {
			if !got[k] {
				t.Errorf("not found: %q", k)
			}
		}
		for k := range got {
			if !want[k] {
				t.Errorf("RE2 does not find %q", k)
			}
		}
		t.Fatalf("in %q", data)
	}
}

// dense is text that is full of what the rules look for: whole, spoilt, cut short, side by side and over each other.
func dense(chance *rand.Rand, size int) []byte {
	var pieces []string
	for _, r := range All() {
		pieces = append(pieces, r.Keywords...)
		pieces = append(pieces, r.literal)
		for _, text := range append(slices.Clone(r.Match), r.Free...) {
			text = strings.ReplaceAll(text, "¦", "")
			pieces = append(pieces, text, text, text)
		}
	}
	pieces = append(pieces, " ", "\n", "\x00", ";", "/", ":", "@", "é", "\xff", "ſ", strings.Repeat("a", 300), "connected, ", "error")
	var b []byte
	few := pieces
	if chance.IntN(2) == 0 { // the same few over and over
		few = nil
		for range 1 + chance.IntN(6) {
			few = append(few, pieces[chance.IntN(len(pieces))])
		}
	}
	wide := chance.IntN(3) == 0
	for len(b) < size {
		p := few[chance.IntN(len(few))]
		switch chance.IntN(12) {
		case 0:
			p = p[:chance.IntN(len(p)+1)]
		case 1:
			p = p[chance.IntN(len(p)+1):]
		case 2:
			if len(p) > 0 {
				at := chance.IntN(len(p))
				p = p[:at] + string(rune(chance.IntN(128))) + p[at+1:]
			}
		case 3:
			p += pieces[len(pieces)-1-chance.IntN(13)]
		case 4:
			wide = wide != (chance.IntN(8) == 0)
		case 5:
			p = strings.ToUpper(p)
		}
		if wide {
			p = search.Wide(p)
		}
		b = append(b, p...)
	}
	return b
}

// What is read as runs is what RE2 reads.
func TestPlain(t *testing.T) {
	found := 0
	for seed := range uint64(250) {
		chance := rand.New(rand.NewPCG(seed, 1))
		data := dense(chance, 1+chance.IntN(3000))
		differ(t, data)
		found += len(Find(data))
	}
	if found < 1000 {
		t.Errorf("only %d secrets in all: nothing is compared", found)
	}
}

// Where UTF-16 is read piece by piece nothing is lost between them.
func TestPlainLong(t *testing.T) {
	for seed := range uint64(12) {
		chance := rand.New(rand.NewPCG(seed, 2))
		data := dense(chance, 2*narrowed)
		differ(t, append([]byte(search.Wide(string(data))), 'x', 'y', 'z'))
	}
}

// What is tried first has the text before it all the same, and a keyword that is told of late is not passed over.
func TestOrder(t *testing.T) {
	account, token := "AC501ae9eec48ba4d2459b6b22c5aba590 ", "02b355f235f79c7f79b7aecca9ed085e "
	data := []byte(search.Wide(token + strings.Repeat("-", 700) + "twilio " + account))
	if hits := Find(data); len(hits) != 1 {
		t.Errorf("token, keyword, account in UTF-16: %+v", hits)
	}
	var i int
	for n, k := range keywords() {
		if k.rule.ID == "twilio-token" && !k.wide {
			i = n
		}
	}
	text := []byte("twilio " + account + strings.Repeat("-", 700) + token + account + "twilio")
	r, found := NewReader(text), 0
	for _, at := range []int{len(text) - 6, 0} {
		r.Read(i, at, func(Hit) { found++ })
	}
	if found != 2 {
		t.Errorf("%d accounts around the last keyword and the first, want 2", found)
	}
}

func FuzzPlain(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(dense(rand.New(rand.NewPCG(seed, 3)), 600))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 8<<10 {
			differ(t, data)
		}
	})
}
