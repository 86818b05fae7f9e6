package rules

import (
	"bytes"
	"slices"
)

// Reader reads the secrets in one piece of data. It keeps what it looked at, so that words that stand close to each other do not have it
// look at the same bytes again and again.
type Reader struct {
	data   []byte
	words  []keyword
	views  [3]*view // the bytes as they are; as UTF-16 that begins at an even place; at an odd one
	groups []int
}

// NewReader is for data that do not change while it is used.
func NewReader(data []byte) *Reader { return &Reader{data: data, words: keywords()} }

// view is one way to read the data, as characters.
type view struct {
	data       []byte
	step, from int // bytes of a character, and where the first begins
	size       int // characters
	text       []byte
	base       int // number of the first character of text
	known      []stretch
	tried      []tried // by rule
}

// tried is what a rule was tried on.
type tried struct {
	from, to int  // characters
	ends     bool // of a line: it ends at both
	last     span // the last match
}

type span struct{ from, to int }

func (r *Reader) view(i int) *view {
	if r.views[i] == nil {
		v := &view{data: r.data, step: 1, text: r.data, known: make([]stretch, memos()), tried: make([]tried, len(load()))}
		if i > 0 {
			v.step, v.from, v.text = 2, i-1, nil
		}
		v.size = (len(r.data) - v.from) / v.step
		r.views[i] = v
	}
	return r.views[i]
}

const narrowed = 16 << 10 // characters that are made of UTF-16 at once

// get gives the text from one character to another, as far as there are such, with what may come before, and where in it the first is.
func (v *view) get(from, to int) (text []byte, at int) {
	from, to = max(from, 0), min(to, v.size)
	if v.step == 2 && (from < v.base || to > v.base+len(v.text)) {
		v.base, v.text = from, narrow(v.text[:0], v.data[v.from+2*from:], max(narrowed, to-from))
		clear(v.known)
	}
	return v.text[:to-v.base], from - v.base
}

// narrow makes so many characters of UTF-16 in little-endian order; what is not ASCII becomes a question mark.
func narrow(text, wide []byte, most int) []byte {
	for i := 0; i+1 < len(wide) && len(text) < most; i += 2 {
		c := wide[i]
		if wide[i+1] != 0 || c >= 0x80 {
			c = '?'
		}
		text = append(text, c)
	}
	return text
}

const (
	reach  = 1024 // characters that a secret with what belongs to it may be long
	behind = 64   // characters before it that may be asked for
)

// Read reads the secrets around a hit at data[at:] of the pattern with that id, with the first id taken off. Of hits of the same pattern
// those that come first are to be given first.
func (r *Reader) Read(pattern, at int, found func(Hit)) {
	w := &r.words[pattern]
	v := r.view(0)
	if w.wide {
		v = r.view(1 + at&1)
	}
	character := at / v.step
	switch {
	case w.rule.Line > 0:
		r.line(v, w.rule, character, found)
	case w.rule.Near > 0:
		r.near(v, w.rule, character, found)
	default:
		from := max(0, character-behind)
		text, i := v.get(from, character+reach)
		r.try(v, w.rule, text, i+character-from, found)
	}
}

// try reads what begins at text[at:], and says where it ends; 0: nothing does.
func (r *Reader) try(v *view, rule *Rule, text []byte, at int, found func(Hit)) (end int) {
	r.groups = slices.Grow(r.groups[:0], 2*rule.re.NumSubexp()+2)[:2*rule.re.NumSubexp()+2]
	for i := range rule.runs {
		for g := range r.groups {
			r.groups[g] = -1
		}
		if rule.runs[i].match(text, at, r.groups, v.known) {
			r.tell(v, match{text, r.groups, rule}, found)
			return r.groups[1]
		}
	}
	return 0
}

// tell tells of a match that proves to be one.
func (r *Reader) tell(v *view, m match, found func(Hit)) {
	if !m.rule.proves(m) {
		return
	}
	begin, end := m.place()
	offset := v.from + v.step*(v.base+begin)
	found(Hit{Rule: m.rule, Offset: offset, End: offset + v.step*(end-begin), Secret: string(m.text[begin:end])})
}

// near tries a rule at the literals around a keyword. At each literal it is tried once, however many keywords stand around it.
func (r *Reader) near(v *view, rule *Rule, keyword int, found func(Hit)) {
	from, to := max(0, keyword-rule.Near), min(v.size, keyword+2*rule.Near)
	t := &v.tried[rule.number]
	switch {
	case t.to == 0 || from > t.to || to < t.from: // the first, or apart from what was tried
		*t = tried{from: from, to: to, last: t.last}
		r.literals(v, rule, from, to, found)
	default:
		before, behind := t.from, t.to
		t.from, t.to = min(from, before), max(to, behind)
		r.literals(v, rule, from, before, found)
		r.literals(v, rule, behind, to, found)
	}
}

// literals tries a rule at the literals that begin in a stretch of characters.
func (r *Reader) literals(v *view, rule *Rule, from, to int, found func(Hit)) {
	if from >= to {
		return
	}
	around, last := 3*rule.Near, &v.tried[rule.number].last
	text, _ := v.get(from-around, to+max(around, reach))
	for at := from - v.base; at < to-v.base; at++ {
		next := bytes.Index(text[at:min(len(text), to-v.base+len(rule.literal)-1)], []byte(rule.literal))
		if next < 0 {
			return
		}
		at += next
		for start := max(0, at-rule.most); start <= at-rule.least; start++ {
			if last.from <= v.base+start && v.base+start < last.to || rule.unless != nil && start > 0 && text[start-1] < 0x80 && rule.unless.ascii[text[start-1]] {
				continue
			}
			if end := r.try(v, rule, text[:min(len(text), start+reach)], start, found); end > 0 {
				*last = span{v.base + start, v.base + end}
				break
			}
		}
	}
}

// line reads the line around a keyword, once.
func (r *Reader) line(v *view, rule *Rule, keyword int, found func(Hit)) {
	t := &v.tried[rule.number]
	if t.ends && t.from <= keyword && keyword < t.to && keyword-t.from <= rule.Line {
		return // it is the same line again
	}
	text, at := v.get(keyword-rule.Line, keyword+rule.Line/2)
	key := keyword - v.base
	from, to := key, len(text)
	for from > at && text[from-1] != '\n' && text[from-1] != 0 {
		from--
	}
	if end := bytes.IndexByte(text[key:], '\n'); end >= 0 {
		to = key + end
	}
	if end := bytes.IndexByte(text[key:to], 0); end >= 0 {
		to = key + end
	}
	now := tried{from: v.base + from, to: v.base + to, ends: from > at && to < len(text)}
	if *t == now {
		return
	}
	*t = now
	r.groups = append(r.groups[:0], from, to)
	r.tell(v, match{text[:to], r.groups, rule}, found)
}
