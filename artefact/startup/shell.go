package startup

import (
	"path"
	"strings"
)

// frame is a compound command that the parser is in.
type frame struct {
	kind     string // "if", "loop", "case", "{", "("
	function string // of "{": what it is the body of
	asking   bool   // of "if" and "loop": the condition is being read
	answers  []answer
	negated  []string // of "if": conditions of branches before, which did not hold
	word     string   // of "case"
	labels   []string // of "case": the patterns of the label
	matched  bool     // of "case" on a known word: a label before fitted
	pattern  bool     // of "case": patterns are being read
	when     string   // the condition of the branch
	never    bool     // the branch is not for the start, or cannot be reached
}

// chain is a list of commands that && and || join.
type chain struct {
	last  answer
	when  []string
	never bool
}

// found is a command with the function whose body it stands in.
type found struct {
	Command
	function string
}

// parser follows a script.
type parser struct {
	lex      lexer
	peeked   *token
	set      variables
	frames   []frame
	chain    chain
	gates    map[string][]string // by function: conditions under which it went on
	ended    map[string]bool     // by function: nothing behind is reached
	defines  string              // the function whose body begins next
	found    []found
	declared map[string]bool
	depth    int // of text that is given to another shell
}

// shell lists what a script runs when it is called with start as its first argument. With called set, the functions that OpenWrt's
// rc.common calls are called.
func shell(text string, called bool) []Command {
	p := newParser(text, 0)
	p.run()
	return p.reached(called)
}

func newParser(text string, depth int) *parser {
	return &parser{
		lex: lexer{s: text, line: 1}, set: variables{value: map[string]string{}, varies: map[string]bool{}},
		gates: map[string][]string{}, ended: map[string]bool{}, declared: map[string]bool{}, depth: depth,
	}
}

// reached are the commands at the top and those of functions that are called.
func (p *parser) reached(called bool) (list []Command) {
	live := map[string]bool{"": true}
	if called {
		for _, name := range []string{"boot", "start", "start_service"} {
			live[name] = true
		}
	}
	for again := true; again; {
		again = false
		for _, c := range p.found {
			if !live[c.function] {
				continue
			}
			for _, word := range c.Argv {
				if word == "$1" || word == "$@" {
					word = "start"
				}
				if p.declared[word] && !live[word] {
					live[word], again = true, true
				}
			}
		}
	}
	for _, c := range p.found {
		if live[c.function] && !p.declared[c.Argv[0]] && c.Argv[0] != "$1" && c.Argv[0] != "$@" {
			list = append(list, c.Command)
		}
	}
	return list
}

func (p *parser) token() (token, bool) {
	if p.peeked != nil {
		t := *p.peeked
		p.peeked = nil
		return t, true
	}
	return p.lex.next()
}

func (p *parser) peek() (token, bool) {
	if p.peeked == nil {
		t, ok := p.lex.next()
		if !ok {
			return t, false
		}
		p.peeked = &t
	}
	return *p.peeked, true
}

// top is the innermost frame of a kind, when it is the innermost of all.
func (p *parser) top(kind string) *frame {
	if n := len(p.frames); n > 0 && p.frames[n-1].kind == kind {
		return &p.frames[n-1]
	}
	return nil
}

func (p *parser) push(f frame) {
	if len(p.frames) < 200 {
		p.frames = append(p.frames, f)
	}
	p.chain = chain{}
}

func (p *parser) pop(kind string) {
	if p.top(kind) != nil {
		p.frames = p.frames[:len(p.frames)-1]
	}
	p.chain = chain{last: answer{kind: plain}}
}

func (p *parser) run() {
	for len(p.found) < maxCommands {
		t, ok := p.token()
		if !ok {
			return
		}
		if f := p.top("case"); f != nil && f.pattern {
			p.label(f, t)
			continue
		}
		if t.op {
			p.operator(t)
			continue
		}
		if !t.quoted && p.keyword(t) {
			continue
		}
		p.simple(t)
	}
}

// operator handles one between commands.
func (p *parser) operator(t token) {
	switch t.text {
	case "&&", "||":
		p.chain.next(t.text)
	case "|":
	case "(":
		p.push(frame{kind: "("})
	case ")":
		p.pop("(")
	case ";;":
		if f := p.top("case"); f != nil {
			f.pattern, f.labels = true, nil
		}
		p.chain = chain{}
	default:
		p.chain = chain{}
	}
}

// label reads the patterns of a case.
func (p *parser) label(f *frame, t token) {
	switch {
	case !t.op && t.text == "esac" && !t.quoted && len(f.labels) == 0:
		p.pop("case")
	case !t.op && t.text == "in" && f.labels == nil && f.word == "":
	case !t.op:
		f.labels = append(f.labels, t.text)
	case t.text == ")":
		f.pattern = false
		p.chain = chain{}
		f.branch(&p.set)
	}
}

// branch decides whether the label of a case is the one.
func (f *frame) branch(set *variables) {
	f.when, f.never = "", false
	word := f.word
	if word == "$1" || word == "${1}" || strings.HasPrefix(word, "${1:") {
		word = "start"
	} else {
		word = set.known(word)
	}
	if strings.Contains(word, "$") {
		f.when = short("case " + f.word + " in " + strings.Join(f.labels, "|"))
		return
	}
	fits := false
	for _, label := range f.labels {
		if ok, err := path.Match(label, word); ok && err == nil {
			fits = true
		}
	}
	f.never = !fits || f.matched
	f.matched = f.matched || fits
}

// keyword handles a reserved word where a command may begin.
func (p *parser) keyword(t token) bool {
	switch t.text {
	case "if":
		p.push(frame{kind: "if", asking: true})
	case "then":
		if f := p.top("if"); f != nil {
			a := both(f.answers)
			f.asking, f.when, f.never = false, a.when(), a.kind == no
		}
		p.chain = chain{}
	case "elif", "else":
		if f := p.top("if"); f != nil {
			a := both(f.answers)
			f.negated = append(f.negated, a.opposite().when())
			f.asking, f.answers, f.when, f.never = t.text == "elif", nil, joined(f.negated), f.never && a.kind != no || a.kind == yes
		}
		p.chain = chain{}
	case "fi":
		p.pop("if")
	case "while", "until":
		p.push(frame{kind: "loop", asking: true})
	case "for", "select":
		p.push(frame{kind: "loop"})
		p.until("do")
	case "do":
		if f := p.top("loop"); f != nil {
			f.asking = false
		}
		p.chain = chain{}
	case "done":
		p.pop("loop")
	case "case":
		if word, ok := p.token(); ok && !word.op {
			p.push(frame{kind: "case", word: word.text, pattern: true})
			p.until("in")
		}
	case "esac":
		p.pop("case")
	case "{":
		p.push(frame{kind: "{", function: p.defines})
		p.defines = ""
	case "}":
		p.pop("{")
	case "function":
		if name, ok := p.token(); ok && !name.op {
			p.declare(name.text)
		}
	case "!", "time":
	default:
		return false
	}
	return true
}

// until goes on behind a word.
func (p *parser) until(word string) {
	for range 1000 {
		t, ok := p.token()
		if !ok || !t.op && t.text == word {
			return
		}
	}
}

func (p *parser) declare(name string) {
	p.defines = name
	p.declared[name] = true
}

// function is the one whose body the parser is in.
func (p *parser) function() string {
	for i := len(p.frames) - 1; i >= 0; i-- {
		if p.frames[i].function != "" {
			return p.frames[i].function
		}
	}
	return ""
}
