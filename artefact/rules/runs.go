package rules

import (
	"fmt"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// A pattern that never has to be tried a second way is read as runs: so many characters of one class after so many of another. Reading
// runs is what RE2 does with such a pattern, at ten times its speed, and a test holds the two against each other.

// run is least to most characters of a class.
type run struct {
	class       *class
	least, most int
	opens       []int // slots of groups that begin, or end, where the run begins
	memo        int   // of a long one, its place among the stretches that a Reader knows; 0: it is short
}

// runs are a pattern, or one of the alternatives that it consists of.
type runs struct {
	list []run
	ends []int // slots of groups that end with the last run
}

// class is a set of characters.
type class struct {
	ascii  [utf8.RuneSelf]bool
	ranges []rune // in pairs, in order
}

// unlimited stands for the number of characters of + and *.
const unlimited = 1 << 20

func classOf(ranges []rune) *class {
	c := &class{ranges: ranges}
	for i := range c.ascii {
		c.ascii[i] = c.has(rune(i))
	}
	return c
}

func (c *class) has(r rune) bool {
	for i := 0; i+1 < len(c.ranges); i += 2 {
		if c.ranges[i] <= r && r <= c.ranges[i+1] {
			return true
		}
	}
	return false
}

// shares says whether two classes have a character in common.
func (c *class) shares(d *class) bool {
	for i := 0; i+1 < len(c.ranges); i += 2 {
		for j := 0; j+1 < len(d.ranges); j += 2 {
			if c.ranges[i] <= d.ranges[j+1] && d.ranges[j] <= c.ranges[i+1] {
				return true
			}
		}
	}
	return false
}

// single is the one ASCII character of a class that has no other.
func (c *class) single() (byte, bool) {
	if len(c.ranges) == 2 && c.ranges[0] == c.ranges[1] && c.ranges[0] < utf8.RuneSelf {
		return byte(c.ranges[0]), true
	}
	return 0, false
}

// literal is the first stretch of two or more characters that never vary, and how many characters come before it.
func (r *runs) literal() (text string, least, most int) {
	for _, run := range r.list {
		c, fixed := run.class.single()
		switch {
		case fixed && run.least == 1 && run.most == 1:
			text += string(c)
			continue
		case len(text) >= 2:
			return text, least, most
		}
		least, most, text = least+len(text)+run.least, most+len(text)+run.most, ""
	}
	return text, least, most
}

const mostAlternatives = 16

// compile makes runs of a pattern that is matched from a fixed place on: its alternatives, the first to be tried first. It fails when
// the pattern is of another kind.
func compile(pattern string) ([]runs, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	all, err := expand(re)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	for _, r := range all {
		if i := r.ambiguous(); i >= 0 {
			return nil, fmt.Errorf("%s: part %d can end in several places", pattern, i+1)
		}
	}
	return all, nil
}

// ambiguous gives the place of a run that may have to be shorter than it can be; -1: there is none.
func (r *runs) ambiguous() int {
	for i, a := range r.list {
		if a.least == a.most {
			continue
		}
		for _, b := range r.list[i+1:] {
			if a.class.shares(b.class) {
				return i
			}
			if b.least > 0 {
				break
			}
		}
	}
	return -1
}

// expand makes runs of an expression.
func expand(re *syntax.Regexp) ([]runs, error) {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText: // it begins where it is tried
		return []runs{{}}, nil
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []runs{{list: characters(re)}}, nil
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return repeated(re)
	case syntax.OpCapture:
		inner, err := expand(re.Sub[0])
		for i := range inner {
			inner[i] = joined(joined(runs{ends: []int{2 * re.Cap}}, inner[i]), runs{ends: []int{2*re.Cap + 1}})
		}
		return inner, err
	case syntax.OpAlternate:
		var all []runs
		for _, sub := range re.Sub {
			some, err := expand(sub)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	case syntax.OpConcat:
		all := []runs{{}}
		for _, sub := range re.Sub {
			some, err := expand(sub)
			if err != nil {
				return nil, err
			}
			if len(all)*len(some) > mostAlternatives {
				return nil, fmt.Errorf("more than %d alternatives", mostAlternatives)
			}
			var next []runs
			for _, a := range all {
				for _, b := range some {
					next = append(next, joined(a, b))
				}
			}
			all = next
		}
		return all, nil
	}
	return nil, fmt.Errorf("%v is not read as runs", re.Op)
}

// joined puts b behind a.
func joined(a, b runs) runs {
	list := append([]run(nil), a.list...)
	if len(b.list) == 0 {
		return runs{list, append(append([]int(nil), a.ends...), b.ends...)}
	}
	first := b.list[0]
	first.opens = append(append([]int(nil), a.ends...), first.opens...)
	return runs{append(append(list, first), b.list[1:]...), b.ends}
}

// characters makes a run of each character of an expression that consists of nothing else. NUL ends every string: it is in no class.
func characters(re *syntax.Regexp) (list []run) {
	one := func(ranges []rune) {
		if len(ranges) > 0 && ranges[0] == 0 {
			ranges = append([]rune{1}, ranges[1:]...)
		}
		list = append(list, run{class: classOf(ranges), least: 1, most: 1})
	}
	switch re.Op {
	case syntax.OpCharClass:
		one(re.Rune)
	case syntax.OpAnyChar:
		one([]rune{0, unicode.MaxRune})
	case syntax.OpAnyCharNotNL:
		one([]rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune})
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			ranges := []rune{r, r}
			if re.Flags&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					ranges = append(ranges, f, f)
				}
			}
			one(ranges)
		}
	}
	return list
}

// repeated makes a run of one character that comes several times.
func repeated(re *syntax.Regexp) ([]runs, error) {
	list := characters(re.Sub[0])
	if len(list) != 1 || re.Flags&syntax.NonGreedy != 0 {
		return nil, fmt.Errorf("%v is not of a character, or takes as few as it can", re.Op)
	}
	r := &list[0]
	switch re.Op {
	case syntax.OpStar:
		r.least, r.most = 0, unlimited
	case syntax.OpPlus:
		r.least, r.most = 1, unlimited
	case syntax.OpQuest:
		r.least, r.most = 0, 1
	default:
		r.least, r.most = re.Min, re.Max
		if re.Max < 0 {
			r.most = unlimited
		}
	}
	return []runs{{list: list}}, nil
}

// match reads the runs at text[at:] and sets the slots of the groups. known are the stretches that were seen before in this text.
func (r *runs) match(text []byte, at int, groups []int, known []stretch) bool {
	groups[0] = at
	for i := range r.list {
		run := &r.list[i]
		for _, slot := range run.opens {
			groups[slot] = at
		}
		if run.most == 1 && at < len(text) && text[at] < utf8.RuneSelf && run.class.ascii[text[at]] {
			at++
			continue
		}
		n := 0
		if run.memo > 0 {
			at, n = run.long(text, at, &known[run.memo])
		} else {
			at, n, _ = run.end(text, at, 0)
		}
		if n < run.least {
			return false
		}
	}
	for _, slot := range r.ends {
		groups[slot] = at
	}
	groups[1] = at
	return true
}

// end reads as many characters as there are, behind n that were read. plain says that each is one byte.
func (r *run) end(text []byte, at, n int) (end, count int, plain bool) {
	plain = true
	for n < r.most && at < len(text) {
		if c := text[at]; c < utf8.RuneSelf {
			if !r.class.ascii[c] {
				break
			}
			at++
			n++
			continue
		}
		c, size := utf8.DecodeRune(text[at:])
		if !r.class.has(c) {
			break
		}
		plain = false
		at += size
		n++
	}
	return at, n, plain
}

// longRun is a number of characters. So many, or fewer, are looked at again where places to try lie close to each other; of more it is
// kept how far they go.
const longRun = 40

// stretch is where characters of one run were seen to stand, one byte each.
type stretch struct{ from, to int }

// long is end, for a long run.
func (r *run) long(text []byte, at int, known *stretch) (end, count int) {
	from := at
	if known.from <= at && at < known.to {
		if at = min(known.to, len(text), from+r.most); at < known.to {
			return at, at - from
		}
	}
	end, count, plain := r.end(text, at, at-from)
	if plain {
		if at > from { // it goes on from what was known
			from = known.from
		}
		*known = stretch{from, end}
	}
	return end, count
}
