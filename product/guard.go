package product

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// What a product file may be at most. The YAML library recurses over nesting and has no limits of its own, and some of its loops
// are quadratic in blank lines, so that all of this is looked at before it is let near the file.
const (
	maxBytes   = 1 << 20
	maxLines   = 20_000
	maxLine    = 8 << 10 // bytes
	maxBlank   = 100     // blank lines in a row
	maxTokens  = 50_000
	maxNesting = 32
	maxEntries = 64 // parts, links, variants
)

// screen looks at the bytes of the file. It says whether the lexer may read them.
func (l *loader) screen(src []byte) bool {
	if len(src) > maxBytes {
		l.add(1, 1, fmt.Sprintf("the file has %d bytes; at most %d are read", len(src), maxBytes), "a "+l.form.what+" holds text only: keep data in files beside it")
		return false
	}
	if !utf8.Valid(src) || bytes.ContainsRune(src, 0) {
		line := 1 + bytes.Count(src[:firstInvalid(src)], []byte("\n"))
		l.add(line, 1, "not text in UTF-8", "save the file as UTF-8")
		return false
	}
	if len(l.lines) > maxLines {
		l.add(maxLines, 1, fmt.Sprintf("the file has %d lines; at most %d are read", len(l.lines), maxLines), "keep data in files beside it")
		return false
	}
	blank := 0
	for i, line := range l.lines {
		rest := strings.TrimLeft(line, " \t")
		blank++
		if rest != "" {
			blank = 0
		}
		indent := line[:len(line)-len(rest)]
		switch {
		case len(line) > maxLine:
			l.add(i+1, 1, fmt.Sprintf("the line has %d bytes; at most %d are read", len(line), maxLine), "break the text into several lines")
		case blank > maxBlank:
			l.add(i+1, 1, fmt.Sprintf("more than %d blank lines in a row", maxBlank), "delete them")
			return false
		case rest != "" && strings.Contains(indent, "\t"):
			l.add(i+1, strings.Index(indent, "\t")+1, "a tab in the indentation", "indent with spaces: YAML allows no tabs there")
		case strings.ContainsRune(line, '\r'):
			l.add(i+1, 1, "a carriage return inside a line", "end lines with a line feed")
		}
	}
	return len(l.found) == 0
}

// firstInvalid is the offset of the first NUL or byte that is not UTF-8.
func firstInvalid(src []byte) int {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(src)
}

// tokenize splits the file into tokens and refuses what a product file does not need: anchors and aliases (which can unfold
// without bound), tags, directives, further documents, complex keys, and deep nesting. The result is nil after a mistake.
func (l *loader) tokenize() token.Tokens {
	tokens := lexer.Tokenize(strings.Join(l.lines, "\n"))
	if len(tokens) > maxTokens {
		l.add(1, 1, fmt.Sprintf("the file has more than %d words", maxTokens), "keep data in files beside it")
		return nil
	}
	documents := 0
	for i, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			l.addToken(t, "anchors and aliases are not read", "write the value out where it is needed")
		case token.TagType:
			l.addToken(t, "YAML tags are not read", "quote the value if it is to be text")
		case token.DirectiveType:
			l.addToken(t, "YAML directives are not read", "delete the line")
		case token.MappingKeyType:
			l.addToken(t, "complex keys are not read", "write key: value")
		case token.DocumentHeaderType:
			if documents++; documents > 1 || i > 0 && !onlyComments(tokens[:i]) {
				l.addToken(t, "a second document in the file", "one file describes one "+l.form.one)
			}
		}
	}
	l.nesting(tokens)
	if len(l.found) > 0 {
		return nil
	}
	return tokens
}

func onlyComments(tokens token.Tokens) bool {
	for _, t := range tokens {
		if t.Type != token.CommentType {
			return false
		}
	}
	return true
}

// nesting measures how deep mappings and lists stand in each other: blocks by their columns, flow collections by their brackets
// and by the keys that stand in a row within them.
func (l *loader) nesting(tokens token.Tokens) {
	var columns []int
	flow, chain, line := 0, 0, 0
	for i, t := range tokens {
		first := t.Position.Line != line
		line = t.Position.Line
		switch t.Type {
		case token.CommentType:
			continue
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow, chain = max(0, flow-1), 0
		case token.CollectEntryType:
			chain = 0
		case token.MappingValueType:
			if flow > 0 {
				chain++
			}
		}
		key := i+1 < len(tokens) && tokens[i+1].Type == token.MappingValueType
		if flow == 0 && (first || key || t.Type == token.SequenceEntryType) {
			for len(columns) > 0 && columns[len(columns)-1] >= t.Position.Column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, t.Position.Column)
		}
		if len(columns)+flow+chain > maxNesting {
			l.addToken(t, fmt.Sprintf("nested more than %d deep", maxNesting), "a "+l.form.what+" needs no more than six levels")
			return
		}
	}
}
