package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// textWidth is the widest line of what is printed for people.
const textWidth = 80

// plain takes out what a terminal would obey: a product's words end up there.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return ' '
		}
		return c
	}, s)
}

// wrap writes text after a prefix, in lines of at most textWidth that are indented by the prefix's width.
func wrap(w io.Writer, prefix, text string) {
	line, indent, empty := prefix, strings.Repeat(" ", len([]rune(prefix))), true
	for word := range strings.FieldsSeq(plain(text)) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > textWidth {
			fmt.Fprintln(w, line)
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}

// cut shortens s to width characters.
func cut(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:max(0, width-1)]) + "…"
	}
	return s
}

// roughly says a span as people do.
func roughly(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 100*time.Second:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// count says how many of a thing there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// where is a job's name: the check, and the variant where there are several.
func where(check, variant string) string {
	if variant == "" {
		return plain(check)
	}
	return plain(check + " (" + variant + ")")
}

func upperFirst(s string) string {
	for i, c := range s {
		return string(unicode.ToUpper(c)) + s[i+len(string(c)):]
	}
	return s
}
