// Package versions compares version numbers as those do who give them out: each ecosystem has an order of its own, and a wrong one makes
// a component old that is new.
package versions

import (
	"strings"
)

// Scheme is an order of versions.
type Scheme string

// The schemes.
const (
	Upstream Scheme = ""       // of most projects: numbers, and letters behind them; -rc, alpha, beta and the like come before
	SemVer   Scheme = "semver" // Semantic Versioning 2.0.0, item 11
	Debian   Scheme = "dpkg"   // deb-version(7); opkg has it as well
	Alpine   Scheme = "apk"    // apk-package(5), as far as it differs: suffixes _alpha, _p and a revision -r
	Python   Scheme = "pypi"   // PEP 440
)

// longest is how much of a version is compared: real ones are shorter.
const longest = 200

// Compare is below zero when a comes before b, above when it comes after, and zero when they are the same version.
func (s Scheme) Compare(a, b string) int {
	a, b = cut(a), cut(b)
	switch s {
	case SemVer:
		return semver(a, b)
	case Debian:
		return debian(a, b)
	case Alpine:
		return alpine(a, b)
	case Python:
		return python(a, b)
	}
	return upstream(a, b)
}

func cut(v string) string {
	v = strings.TrimSpace(v)
	return v[:min(len(v), longest)]
}

// numbers compares digits without leading zeros, however many there are.
func numbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}

func sign(n int) int { return max(-1, min(1, n)) }

func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// run takes the bytes off s for which is holds.
func run(s string, is func(byte) bool) (head, rest string) {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return s[:n], s[n:]
}

// semver compares by Semantic Versioning; a leading v and missing numbers are let pass.
func semver(a, b string) int {
	a, b = strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v")
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	coreA, preA, isA := strings.Cut(a, "-")
	coreB, preB, isB := strings.Cut(b, "-")
	if c := dotted(coreA, coreB, "0"); c != 0 {
		return c
	}
	switch {
	case isA && !isB:
		return -1
	case !isA && isB:
		return 1
	}
	return dotted(preA, preB, "")
}

// dotted compares identifiers between dots: numbers as numbers, which come before words. One that is missing is as given, or, when that
// is empty, before all others.
func dotted(a, b, missing string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		x, y := missing, missing
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		_, restX := run(x, digit)
		_, restY := run(y, digit)
		c := 0
		switch numX, numY := restX == "" && x != "", restY == "" && y != ""; {
		case x == y:
		case x == "":
			c = -1
		case y == "":
			c = 1
		case numX && numY:
			c = numbers(x, y)
		case numX:
			c = -1
		case numY:
			c = 1
		default:
			c = strings.Compare(x, y)
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// debian compares by deb-version(7).
func debian(a, b string) int {
	epochA, a := epoch(a)
	epochB, b := epoch(b)
	if c := numbers(epochA, epochB); c != 0 {
		return c
	}
	upA, revA := revision(a)
	upB, revB := revision(b)
	if c := alternating(upA, upB); c != 0 {
		return c
	}
	return alternating(revA, revB)
}

func epoch(v string) (epoch, rest string) {
	if e, rest, ok := strings.Cut(v, ":"); ok {
		if _, odd := run(e, digit); odd == "" {
			return e, rest
		}
	}
	return "0", v
}

func revision(v string) (upstream, revision string) {
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], v[i+1:]
	}
	return v, "0"
}

// weight orders what is no digit: ~ comes before the end, that before letters, those before all else.
func weight(s string, i int) int {
	switch {
	case i >= len(s) || digit(s[i]):
		return 0
	case s[i] == '~':
		return -1
	case letter(s[i]):
		return int(s[i])
	}
	return int(s[i]) + 256
}

// alternating compares what is no digit, then digits, and so on.
func alternating(a, b string) int {
	for a != "" || b != "" {
		i := 0
		for (i < len(a) && !digit(a[i])) || (i < len(b) && !digit(b[i])) {
			if c := weight(a, i) - weight(b, i); c != 0 {
				return sign(c)
			}
			i++
		}
		a, b = a[min(i, len(a)):], b[min(i, len(b)):]
		var x, y string
		x, a = run(a, digit)
		y, b = run(b, digit)
		if c := numbers(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// before are words that say that a version is one before the release, in their order.
var before = []string{"dev", "alpha", "a", "beta", "b", "c", "pre", "rc"}

// part is a piece of a version: a number or a word.
type part struct {
	text   string
	number bool
	dot    bool // a dot stands before it
}

func parts(v string) (all []part) {
	dot := true
	for v != "" {
		var head string
		switch {
		case digit(v[0]):
			head, v = run(v, digit)
			all = append(all, part{head, true, dot})
			dot = false
		case letter(v[0]):
			head, v = run(v, letter)
			all = append(all, part{strings.ToLower(head), false, dot})
			dot = false
		default:
			dot = true
			v = v[1:]
		}
	}
	return all
}

// rank says where a part stands against the end of a version, which is 0: before the release, or after it.
func rank(p part) int {
	if p.number {
		return 2
	}
	for i, w := range before {
		// A single letter that follows a number at once is a release of its own, as in 1.0.2k.
		if p.text == w && (len(w) > 1 || p.dot) {
			return i - len(before)
		}
	}
	return 1
}

// upstream compares as most projects mean it: 1.0.2 < 1.0.2a < 1.0.2z < 1.0.2za < 1.0.3, 2021.01-rc3 < 2021.01, 4.3 < 4.3.30.
func upstream(a, b string) int {
	as, bs := parts(strings.TrimPrefix(a, "v")), parts(strings.TrimPrefix(b, "v"))
	for i := range max(len(as), len(bs)) {
		if i >= len(as) {
			return end(-1, bs[i:])
		}
		if i >= len(bs) {
			return end(1, as[i:])
		}
		x, y := as[i], bs[i]
		c := 0
		switch {
		case x.number && y.number:
			c = numbers(x.text, y.text)
		case !x.number && !y.number:
			c = sign(rank(x) - rank(y))
			if c == 0 {
				c = letters(x.text, y.text)
			}
		default:
			c = sign(rank(x) - rank(y))
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// end says how a version that goes on compares with one that ends there: side is 1 when the longer one is the first. Zeros say nothing.
func end(side int, rest []part) int {
	for _, p := range rest {
		if p.number && strings.Trim(p.text, "0") == "" {
			continue
		}
		if rank(p) < 0 {
			return -side
		}
		return side
	}
	return 0
}

// letters compares the letters of patch releases: z comes before za.
func letters(a, b string) int {
	if len(a) != len(b) && strings.Trim(a[:min(len(a), len(b))], "z") == "" && strings.Trim(b[:min(len(a), len(b))], "z") == "" {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}

// alpine compares versions of apk: the release number -r is the last word, and _p comes after the release.
func alpine(a, b string) int {
	upA, revA := apkRevision(a)
	upB, revB := apkRevision(b)
	if c := upstream(apkSuffix(upA), apkSuffix(upB)); c != 0 {
		return c
	}
	return numbers(revA, revB)
}

func apkRevision(v string) (upstream, revision string) {
	if i := strings.LastIndex(v, "-r"); i >= 0 {
		if _, odd := run(v[i+2:], digit); odd == "" {
			return v[:i], v[i+2:]
		}
	}
	return v, ""
}

// apkSuffix writes suffixes as upstream knows them.
func apkSuffix(v string) string {
	return strings.NewReplacer("_alpha", ".alpha", "_beta", ".beta", "_pre", ".pre", "_rc", ".rc", "_git", ".z", "_p", ".p").Replace(v)
}

// python compares as PEP 440 does, but for local versions, of which the order seldom matters.
func python(a, b string) int {
	epochA, a := pythonEpoch(strings.ToLower(a))
	epochB, b := pythonEpoch(strings.ToLower(b))
	if c := numbers(epochA, epochB); c != 0 {
		return c
	}
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	return upstream(pythonWords(a), pythonWords(b))
}

func pythonEpoch(v string) (epoch, rest string) {
	if e, rest, ok := strings.Cut(v, "!"); ok {
		return e, rest
	}
	return "0", v
}

// pythonWords puts a dot before words, so that 1.0b2 is a beta and no release with the letter b.
func pythonWords(v string) string {
	var b strings.Builder
	for i := range len(v) {
		if i > 0 && letter(v[i]) && digit(v[i-1]) {
			b.WriteByte('.')
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// Range is the versions from one on, up to one that has it mended.
type Range struct {
	From   string // the first; empty: all before
	Before string // the first that has it no more; empty: none yet
	Last   string // the last, where Before is not told
}

// Holds reports whether v lies in the range.
func (r Range) Holds(s Scheme, v string) bool {
	if r.From != "" && r.From != "0" && s.Compare(v, r.From) < 0 {
		return false
	}
	if r.Before != "" {
		return s.Compare(v, r.Before) < 0
	}
	return r.Last == "" || s.Compare(v, r.Last) <= 0
}
