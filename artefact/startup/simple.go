package startup

import (
	"slices"
	"strings"
)

// simple reads a command up to the operator behind it, of which t is the first word.
func (p *parser) simple(t token) {
	words := []token{t}
	for {
		next, ok := p.peek()
		if !ok {
			break
		}
		if next.op {
			if next.text == "(" && len(words) == 1 { // a function is defined
				p.token()
				if closing, ok := p.peek(); ok && closing.op && closing.text == ")" {
					p.token()
					p.declare(t.text)
					return
				}
				p.push(frame{kind: "("})
				return
			}
			break
		}
		p.token()
		words = append(words, next)
	}
	text := p.lex.s[words[0].from:words[len(words)-1].to]
	argv := p.argv(words)
	if len(argv) == 0 {
		p.chain.last = answer{kind: plain}
		return
	}
	a := ask(words, argv, &p.set, text)
	if f := p.asked(); f != nil {
		f.answers = append(f.answers, a)
		p.chain.last = a
		return
	}
	p.emit(argv, text, t.line)
	p.chain.last = a
}

// asked is the frame whose condition is being read.
func (p *parser) asked() *frame {
	if n := len(p.frames); n > 0 && p.frames[n-1].asking {
		return &p.frames[n-1]
	}
	return nil
}

// argv takes assignments and redirections away, and replaces variables.
func (p *parser) argv(words []token) (argv []string) {
	skip := false
	for _, w := range words {
		if skip {
			skip = false
			continue
		}
		if !w.quoted {
			redirect := strings.TrimLeft(w.text, "0123456789&")
			if redirect != "" && strings.IndexByte("<>", redirect[0]) >= 0 {
				skip = strings.Trim(redirect, "<>&|") == "" && !strings.HasSuffix(redirect, "&")
				if strings.Trim(redirect, "<") == "" && len(redirect) == 1 {
					skip = w.to-w.from == 1 // a here-document has its end in the word
				}
				continue
			}
		}
		if len(argv) == 0 && p.set.assign(w.text, p.conditional()) {
			continue
		}
		text := p.set.expand(w.text)
		if !w.quoted && strings.Contains(w.text, "$") && !strings.Contains(w.text, "$(") {
			argv = append(argv, strings.Fields(text)...)
			continue
		}
		argv = append(argv, text)
	}
	if len(argv) > 1 && slices.Contains([]string{"export", "local", "readonly", "declare"}, argv[0]) {
		for _, w := range argv[1:] {
			p.set.assign(w, p.conditional())
		}
	}
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], string(literal), "$")
	}
	return argv
}

// conditional reports whether what is read now need not be reached.
func (p *parser) conditional() bool {
	return p.chain.never || len(p.chain.when) > 0 || slices.ContainsFunc(p.frames, func(f frame) bool { return f.kind == "if" || f.kind == "case" })
}

// emit keeps a command that the start may reach.
func (p *parser) emit(argv []string, text string, line int) {
	fn := p.function()
	if p.ended[fn] || p.chain.never {
		return
	}
	var when []string
	when = append(when, p.gates[fn]...)
	nested := false
	for _, f := range p.frames {
		if f.never {
			return
		}
		if f.function == fn && fn != "" {
			when = slices.Clone(p.gates[fn]) // what stands around a function does not matter to its body
			nested = false
		}
		when = append(when, f.when)
		nested = nested || f.kind != "{"
	}
	when = append(when, p.chain.when...)
	if argv[0] == "exit" || argv[0] == "return" {
		switch at := joined(when[min(len(p.gates[fn]), len(when)):]); {
		case at != "":
			p.gates[fn] = append(p.gates[fn], answer{open, at}.opposite().text)
		case !nested && p.chain.last.kind == "":
			p.ended[fn] = true
		}
		return
	}
	if argv[0] == "." || argv[0] == "source" {
		p.set.sourced = true
	}
	argv, user, inner := unwrap(argv)
	if inner != "" && p.depth < 3 {
		sub := newParser(inner, p.depth+1)
		sub.run()
		for _, c := range sub.reached(false) {
			c.Line, c.When = line, joined(append(slices.Clone(when), c.When))
			if c.User == "" {
				c.User = user
			}
			p.found = append(p.found, found{c, fn})
		}
	}
	if len(argv) == 0 {
		return
	}
	if argv[0] == "procd_set_param" || argv[0] == "procd_append_param" {
		p.parameter(argv, text, line, when, fn)
		return
	}
	p.found = append(p.found, found{Command{Line: line, Argv: argv, Text: short(text), User: user, When: joined(when)}, fn})
}

// parameter is what OpenWrt's procd is told of a service.
func (p *parser) parameter(argv []string, text string, line int, when []string, fn string) {
	if len(argv) < 3 {
		return
	}
	last := func() *found {
		if len(p.found) == 0 {
			return nil
		}
		return &p.found[len(p.found)-1]
	}()
	switch {
	case argv[1] == "command" && argv[0] == "procd_set_param":
		p.found = append(p.found, found{Command{Line: line, Argv: argv[2:], Text: short(text), When: joined(when)}, fn})
	case argv[1] == "command" && last != nil && last.function == fn:
		last.Argv = append(slices.Clone(last.Argv), argv[2:]...)
	case argv[1] == "user" && last != nil && last.function == fn:
		last.User = argv[2]
	}
}

// joined is a list of conditions as one.
func joined(when []string) string {
	var all []string
	for _, w := range when {
		if w != "" && !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return short(strings.Join(all, "; "))
}
