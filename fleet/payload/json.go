package payload

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/shakedown-test/shakedown/product"
)

// value is a value of JSON in which words in braces may stand.
type value struct {
	kind   byte    // '{', '[', '"', '0' a number, 'w' a word that stands alone, else the first letter of true, false, null
	keys   []value // of an object; text
	items  []value // of an object or a list
	pieces []piece // of text
	text   string  // of a number
	word   product.Placeholder
}

// piece is a piece of a text: a word, or what stands there.
type piece struct {
	text string
	word *product.Placeholder
}

// parser reads JSON (RFC 8259) with words in braces, in strings and where a number can be.
type parser struct {
	text   string
	words  []product.Placeholder
	quoted []bool // of each word: whether it stands in a string
	next   int    // the first word that is not yet read
	at     int
	depth  int
}

const maxDepth = 32

func (p *parser) document() (value, error) {
	v, err := p.value()
	if err == nil && p.blank() < len(p.text) {
		err = p.wrong("the end of the payload")
	}
	return v, err
}

// blank goes on to the next sign that is no blank.
func (p *parser) blank() int {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at
}

// peek is the next sign that is no blank; 0 at the end.
func (p *parser) peek() byte {
	if p.blank() == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) wrong(want string) error {
	if p.at >= len(p.text) {
		return fmt.Errorf("not JSON: it ends where %s should be", want)
	}
	rest := []rune(p.text[p.at:min(len(p.text), p.at+64)])
	return fmt.Errorf("not JSON: %q where %s should be", string(rest[:min(len(rest), 12)]), want)
}

// word takes the word in braces that begins here.
func (p *parser) word(quoted bool) *product.Placeholder {
	if p.next == len(p.words) || p.words[p.next].From != p.at {
		return nil
	}
	w := &p.words[p.next]
	p.quoted[p.next] = quoted
	p.next++
	p.at = w.To
	return w
}

func (p *parser) value() (value, error) {
	if p.depth++; p.depth > maxDepth {
		return value{}, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	c := p.peek()
	if c == '{' {
		if w := p.word(false); w != nil {
			return bare(w)
		}
	}
	switch {
	case c == '{' || c == '[':
		return p.collection(c)
	case c == '"':
		pieces, err := p.string()
		return value{kind: '"', pieces: pieces}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, name := range []string{"true", "false", "null"} {
		if strings.HasPrefix(p.text[p.at:], name) {
			p.at += len(name)
			return value{kind: name[0]}, nil
		}
	}
	return value{}, p.wrong("a value")
}

// bare takes a word that stands in no string: a number, or a name that is given and may be one.
func bare(w *product.Placeholder) (value, error) {
	k, known := kinds[w.Name]
	if known && !k.number() {
		return value{}, fmt.Errorf("{%s} is text: put it in quotes", w.Name)
	}
	if w.Width > 1 {
		return value{}, fmt.Errorf("numbers of JSON have no leading zeros: put {%s:0%d} in quotes", w.Name, w.Width)
	}
	return value{kind: 'w', word: *w}, nil
}

// collection reads an object or a list.
func (p *parser) collection(open byte) (value, error) {
	v := value{kind: open}
	end := open + 2 // in ASCII, of both brackets
	p.at++
	for p.peek() != end {
		if len(v.items) > 0 {
			if p.peek() != ',' {
				return v, p.wrong("a comma or " + string(end))
			}
			p.at++
		}
		if open == '{' {
			if p.peek() != '"' {
				return v, p.wrong("a key in quotes")
			}
			key, err := p.string()
			if err != nil {
				return v, err
			}
			v.keys = append(v.keys, value{kind: '"', pieces: key})
			if p.peek() != ':' {
				return v, p.wrong("a colon")
			}
			p.at++
		}
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	p.at++
	return v, nil
}

// string reads a string, and takes its escapes away.
func (p *parser) string() ([]piece, error) {
	var out []piece
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, piece{text: text.String()})
			text.Reset()
		}
	}
	p.at++
	for p.at < len(p.text) {
		c := p.text[p.at]
		if c == '{' {
			if w := p.word(true); w != nil {
				flush()
				out = append(out, piece{word: w})
				continue
			}
		}
		switch {
		case c == '"':
			p.at++
			flush()
			return out, nil
		case c < plainSigns:
			return nil, p.wrong("an escape such as \\n")
		case c == '\\':
			r, size := escape(p.text[p.at:])
			if size == 0 {
				return nil, p.wrong("an escape such as \\n or \\u00e9")
			}
			text.WriteRune(r)
			p.at += size
		default:
			r, size := utf8.DecodeRuneInString(p.text[p.at:])
			if r == utf8.RuneError && size == 1 {
				return nil, p.wrong("text in UTF-8")
			}
			text.WriteString(p.text[p.at : p.at+size])
			p.at += size
		}
	}
	return nil, p.wrong("the closing quote")
}

// escape reads one escape, and says how long it is; 0: it is none.
func escape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	r, ok := hexRune(s)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		low, ok := hexRune(s[6:])
		if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
			return r, 12
		}
		return 0, 0
	}
	return r, 6
}

// hexRune reads \u and four hex digits.
func hexRune(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	x, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(x), err == nil
}

// number reads a number as RFC 8259 section 6 has it.
func (p *parser) number() (value, error) {
	begin := p.at
	digits := func() bool {
		from := p.at
		for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
			p.at++
		}
		return p.at > from
	}
	next := func(signs string) bool {
		if p.at < len(p.text) && strings.IndexByte(signs, p.text[p.at]) >= 0 {
			p.at++
			return true
		}
		return false
	}
	next("-")
	if !next("0") && !digits() {
		return value{}, p.wrong("a digit")
	}
	if next(".") && !digits() {
		return value{}, p.wrong("a digit")
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return value{}, p.wrong("a digit")
		}
	}
	if p.at < len(p.text) && (p.text[p.at] == '{' || '0' <= p.text[p.at] && p.text[p.at] <= '9') {
		return value{}, p.wrong("the end of the number")
	}
	return value{kind: '0', text: p.text[begin:p.at]}, nil
}
