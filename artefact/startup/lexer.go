package startup

import "strings"

// token is a word or an operator of a shell script.
type token struct {
	text     string // of a word: without its quotes, variables in place as $NAME where they are not in single quotes
	op       bool   // an operator: ; & | && || ;; ( ) and the end of a line, "\n"
	quoted   bool   // a word with quotes: no keyword
	line     int
	from, to int // bytes of the source
}

// literal stands for a dollar sign in single quotes, which is no variable.
const literal = '\x01'

// lexer cuts a script into tokens, as the shell's grammar does (POSIX.1, 2.3), but for aliases.
type lexer struct {
	s       string
	at      int
	line    int
	waiting []heredoc // whose bodies begin behind this line
}

type heredoc struct {
	end  string
	tabs bool
}

// next gives a token; false: there are no more.
func (l *lexer) next() (token, bool) {
	for l.at < len(l.s) {
		switch c := l.s[l.at]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.at++
			continue
		case c == '\\' && l.at+1 < len(l.s) && l.s[l.at+1] == '\n':
			l.at += 2
			l.line++
			continue
		case c == '#':
			for l.at < len(l.s) && l.s[l.at] != '\n' {
				l.at++
			}
			continue
		}
		break
	}
	if l.at >= len(l.s) {
		return token{}, false
	}
	t := token{line: l.line, from: l.at}
	if n := operator(l.s[l.at:]); n > 0 {
		t.op, t.text = true, l.s[l.at:l.at+n]
		l.at += n
		t.to = l.at
		if t.text == "\n" {
			l.line++
			l.bodies()
		}
		return t, true
	}
	l.word(&t)
	t.to = l.at
	return t, true
}

// operator is the length of the operator that s begins with. Redirections are words here.
func operator(s string) int {
	for _, op := range []string{"&&", "||", ";;"} {
		if strings.HasPrefix(s, op) {
			return 2
		}
	}
	if strings.HasPrefix(s, "&>") {
		return 0
	}
	if strings.IndexByte(";&|()\n", s[0]) >= 0 {
		return 1
	}
	return 0
}

// word reads one, with all its quotes.
func (l *lexer) word(t *token) {
	var b strings.Builder
	for l.at < len(l.s) {
		c := l.s[l.at]
		switch {
		case c == '\\' && l.at+1 < len(l.s):
			if l.s[l.at+1] == '\n' {
				l.line++
			} else {
				b.WriteByte(l.s[l.at+1])
			}
			l.at += 2
		case c == '\'':
			t.quoted = true
			inner, n := until(l.s[l.at+1:], '\'')
			b.WriteString(strings.ReplaceAll(inner, "$", string(literal)))
			l.skip(n + 1)
		case c == '"':
			t.quoted = true
			l.double(&b)
		case c == '`':
			inner, n := until(l.s[l.at+1:], '`')
			b.WriteString("$(" + inner + ")")
			l.skip(n + 1)
		case c == '$' && strings.HasPrefix(l.s[l.at:], "$("), c == '$' && strings.HasPrefix(l.s[l.at:], "${"):
			n := balanced(l.s[l.at+1:])
			b.WriteString(l.s[l.at : l.at+1+n])
			l.skip(1 + n)
		case c == '<' && strings.HasPrefix(l.s[l.at:], "<<") && !strings.HasPrefix(l.s[l.at:], "<<<"):
			l.here(&b)
			t.text = b.String()
			return
		case c == '>' || c == '<': // with its target, when that follows at once
			b.WriteByte(c)
			l.at++
			for l.at < len(l.s) && strings.IndexByte(">&|", l.s[l.at]) >= 0 {
				b.WriteByte(l.s[l.at])
				l.at++
			}
		case strings.HasPrefix(l.s[l.at:], "&>"):
			b.WriteString("&>")
			l.at += 2
		case strings.IndexByte(" \t\r\n;&|()", c) >= 0:
			t.text = b.String()
			return
		default:
			b.WriteByte(c)
			l.at++
		}
	}
	t.text = b.String()
}

// skip goes on by n bytes and counts the lines.
func (l *lexer) skip(n int) {
	n = min(n, len(l.s)-l.at)
	l.line += strings.Count(l.s[l.at:l.at+n], "\n")
	l.at += n
}

// until is what stands before the next c, and how many bytes that are with it.
func until(s string, c byte) (string, int) {
	if i := strings.IndexByte(s, c); i >= 0 {
		return s[:i], i + 1
	}
	return s, len(s)
}

// double reads what stands in double quotes.
func (l *lexer) double(b *strings.Builder) {
	l.at++
	for l.at < len(l.s) {
		switch c := l.s[l.at]; {
		case c == '"':
			l.at++
			return
		case c == '\\' && l.at+1 < len(l.s):
			switch next := l.s[l.at+1]; next {
			case '$':
				b.WriteByte(literal)
			case '"', '\\', '`':
				b.WriteByte(next)
			case '\n':
			default:
				b.WriteString(l.s[l.at : l.at+2])
			}
			l.skip(2)
		case strings.HasPrefix(l.s[l.at:], "$("), strings.HasPrefix(l.s[l.at:], "${"):
			n := balanced(l.s[l.at+1:])
			b.WriteString(l.s[l.at : l.at+1+n])
			l.skip(1 + n)
		default:
			b.WriteByte(c)
			l.skip(1)
		}
	}
}

// balanced is the length of what s begins with in brackets, with them.
func balanced(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '{':
			depth++
		case ')', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '\\':
			i++
		case '\'':
			_, n := until(s[i+1:], '\'')
			i += n
		}
	}
	return len(s)
}

// here reads the beginning of a here-document.
func (l *lexer) here(b *strings.Builder) {
	l.at += 2
	h := heredoc{}
	if l.at < len(l.s) && l.s[l.at] == '-' {
		h.tabs = true
		l.at++
	}
	for l.at < len(l.s) && (l.s[l.at] == ' ' || l.s[l.at] == '\t') {
		l.at++
	}
	from := l.at
	for l.at < len(l.s) && strings.IndexByte(" \t\r\n;&|<>()", l.s[l.at]) < 0 {
		l.at++
	}
	h.end = strings.NewReplacer(`"`, "", "'", "", `\`, "").Replace(l.s[from:l.at])
	l.waiting = append(l.waiting, h)
	b.WriteString("<")
}

// bodies goes on behind the here-documents of the line before.
func (l *lexer) bodies() {
	for _, h := range l.waiting {
		for l.at < len(l.s) {
			line, n := until(l.s[l.at:], '\n')
			l.skip(n)
			line = strings.TrimSuffix(line, "\r")
			if h.tabs {
				line = strings.TrimLeft(line, "\t")
			}
			if line == h.end {
				break
			}
		}
	}
	l.waiting = nil
}
