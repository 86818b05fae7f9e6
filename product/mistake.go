package product

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mistake is one thing that is wrong in a product file.
type Mistake struct {
	Line, Column int    // where, counted from 1; columns in characters
	Excerpt      string // the line, without its end; empty when there is none to show
	Text         string // what is wrong
	Hint         string // what to do; may be empty
}

// Mistakes is the error of a product file: everything that is wrong in it, in the order of the file.
type Mistakes struct {
	File string
	List []Mistake
}

// Error prints every mistake as "name:line:col: text", the line with a caret below the place, and a hint.
func (m *Mistakes) Error() string {
	var b strings.Builder
	for i, one := range m.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s", m.File, one.Line, one.Column, printable(one.Text))
		if one.Excerpt != "" {
			line, caret := window(one.Excerpt, one.Column)
			fmt.Fprintf(&b, "\n  %s\n  %s^", line, strings.Repeat(" ", caret))
		}
		if one.Hint != "" {
			fmt.Fprintf(&b, "\nhint: %s", printable(one.Hint))
		}
	}
	return b.String()
}

// sort puts the mistakes into the order of the file and drops repetitions.
func (m *Mistakes) sort() {
	slices.SortStableFunc(m.List, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	m.List = slices.Compact(m.List)
}

// excerptWidth is how many characters of a line are shown.
const excerptWidth = 120

// window cuts a long line to the part around the column, and says where the caret belongs in it.
func window(line string, column int) (shown string, caret int) {
	runes := []rune(printable(line))
	caret = min(max(column-1, 0), len(runes))
	if len(runes) <= excerptWidth {
		return string(runes), caret
	}
	from := min(max(caret-excerptWidth/2, 0), len(runes)-excerptWidth)
	return string(runes[from : from+excerptWidth]), caret - from
}

// printable replaces what could disturb a terminal, one character by one.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

// short quotes a value for a message, cut when it is long.
func short(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return `"` + s + `"`
}
