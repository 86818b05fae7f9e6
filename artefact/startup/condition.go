package startup

import (
	"regexp"
	"slices"
	"strings"
)

// answer is what is known of the result of a command.
type answer struct {
	kind answerKind
	text string // of an open one
}

type answerKind string

const (
	plain answerKind = "plain" // no test: it is taken to succeed
	yes   answerKind = "yes"
	no    answerKind = "no"
	file  answerKind = "file" // whether a program or a device is there: taken to be as the script needs it
	open  answerKind = "open"
)

// when is the condition that the answer makes; empty: none.
func (a answer) when() string {
	if a.kind == open {
		return a.text
	}
	return ""
}

func (a answer) opposite() answer {
	switch a.kind {
	case yes:
		a.kind = no
	case no:
		a.kind = yes
	case open:
		rest, negated := strings.CutPrefix(a.text, "not: ")
		switch {
		case !negated && strings.Contains(rest, "; "):
			a.text = "not: (" + rest + ")"
		case !negated:
			a.text = "not: " + rest
		case strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")"):
			a.text = rest[1 : len(rest)-1]
		default:
			a.text = rest
		}
	}
	return a
}

// both joins the answers of a condition of several commands, as if && stood between them.
func both(all []answer) answer {
	result := answer{kind: plain}
	var text []string
	for _, a := range all {
		switch {
		case a.kind == no:
			return a
		case a.kind == open:
			text = append(text, a.text)
		default:
			result = a
		}
	}
	if len(text) > 0 {
		return answer{open, strings.Join(text, "; ")}
	}
	return result
}

// next goes on to the command behind && or ||.
func (c *chain) next(op string) {
	a := c.last
	switch {
	case op == "&&":
		c.never = c.never || a.kind == no
		if w := a.when(); w != "" {
			c.when = append(c.when, w)
		}
	case a.kind == plain:
		c.never = false
		c.when = append(c.when, "what stands before it fails")
	default:
		c.never = a.kind == yes
		c.when = nil
		if w := a.opposite().when(); w != "" {
			c.when = []string{w}
		}
	}
}

// ask finds out what is known of the result of a command.
func ask(words []token, argv []string, set *variables, text string) answer {
	negate := false
	for len(argv) > 1 && argv[0] == "!" {
		negate, argv, words = !negate, argv[1:], words[1:]
	}
	a := result(words, argv, set, text)
	if negate {
		a = a.opposite()
	}
	return a
}

func result(words []token, argv []string, set *variables, text string) answer {
	switch argv[0] {
	case "true", ":":
		return answer{kind: yes}
	case "false":
		return answer{kind: no}
	case "command", "which", "type", "mkdir", "cd", "pidof", "pgrep": // the last two are of watchdogs: pidof x || x
		return answer{kind: file}
	case "[", "test", "[[":
	case "grep", "egrep", "fgrep", "nvram", "uci", "config_get_bool", "cmp", "expr", "fw_printenv", "getprop":
		return answer{open, short(text)}
	default:
		return answer{kind: plain, text: short(text)}
	}
	var known []string // the operands, with what the script itself sets in place
	for _, w := range words[1:] {
		if w.text == "]" || w.text == "]]" {
			break
		}
		known = append(known, set.known(w.text))
	}
	return compare(known, short(text))
}

// places are where programs and what the kernel gives are. That something is there is a matter of how the image was made.
var places = regexp.MustCompile(`(^|/)(s?bin|init\.d|dev|proc|sys|lib|modules)(/|$)`)

// compare evaluates the operands of test(1).
func compare(w []string, text string) answer {
	if len(w) > 0 && w[0] == "!" {
		return compare(w[1:], text).opposite()
	}
	if i := slices.Index(w, "-a"); i > 0 && i < len(w)-1 {
		part := func(w []string) answer { return compare(w, short("[ "+strings.Join(w, " ")+" ]")) }
		return both([]answer{part(w[:i]), part(w[i+1:])})
	}
	unknown := answer{open, text}
	switch {
	case len(w) == 2 && len(w[0]) == 2 && strings.Contains("efdxrwsLhcbS", w[0][1:]) && w[0][0] == '-':
		if places.MatchString(w[1]) || strings.Contains(w[1], "$") {
			return answer{kind: file}
		}
		return answer{open, short("[ " + strings.Join(w, " ") + " ]")}
	case slices.ContainsFunc(w, func(s string) bool { return strings.Contains(s, "$") }):
		return unknown
	case len(w) == 2 && w[0] == "-n":
		return holds(w[1] != "")
	case len(w) == 2 && w[0] == "-z":
		return holds(w[1] == "")
	case len(w) == 3 && (w[1] == "=" || w[1] == "==" || w[1] == "-eq"):
		return holds(w[0] == w[2])
	case len(w) == 3 && (w[1] == "!=" || w[1] == "-ne"):
		return holds(w[0] != w[2])
	}
	return unknown
}

func holds(is bool) answer {
	if is {
		return answer{kind: yes}
	}
	return answer{kind: no}
}

// variables are those that the script sets.
type variables struct {
	value   map[string]string
	varies  map[string]bool // set to several values, or perhaps
	sourced bool            // another file was read, which may set any
}

var assignment = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=`)

// assign sets a variable if the word does so.
func (v *variables) assign(word string, perhaps bool) bool {
	m := assignment.FindStringSubmatch(word)
	if m == nil {
		return false
	}
	value := v.expand(word[len(m[0]):])
	if len(value) > 4096 || len(v.value) > 10_000 {
		value = ""
	}
	old, set := v.value[m[1]]
	if perhaps || set && old != value {
		v.varies[m[1]] = true
	}
	v.value[m[1]] = value
	return true
}

var reference = regexp.MustCompile(`^\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-=]([^{}$]*))?\})`)

// expand replaces the variables that are known.
func (v *variables) expand(word string) string {
	return v.replace(word, func(string) bool { return true })
}

// known replaces the variables whose value is sure.
func (v *variables) known(word string) string {
	return v.replace(word, func(name string) bool { return !v.sourced && !v.varies[name] })
}

func (v *variables) replace(word string, sure func(name string) bool) string {
	if strings.IndexByte(word, '$') < 0 {
		return word
	}
	var b strings.Builder
	for i := 0; i < len(word) && b.Len() < 8192; {
		if strings.HasPrefix(word[i:], "$(") {
			n := balanced(word[i+1:])
			b.WriteString(word[i : i+1+n])
			i += 1 + n
			continue
		}
		m := reference.FindStringSubmatch(word[i:min(len(word), i+512)])
		if m == nil {
			b.WriteByte(word[i])
			i++
			continue
		}
		name := m[1] + m[2]
		value, set := v.value[name]
		switch {
		case set && sure(name):
			b.WriteString(value)
		case !set && m[3] != "" && sure(name):
			b.WriteString(m[3])
		default:
			b.WriteString(m[0])
		}
		i += len(m[0])
	}
	return b.String()
}
