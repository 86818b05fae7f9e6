package product

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Known is what the rest of the program knows by name and a product file may refer to.
type Known struct {
	Checks  []string // check ids
	Risks   []string // risk ids
	Drivers []string // driver names; "stand-in" is always known

	Profiles []string // network profiles

	Requirements []string // ids of the requirement register

	Payload func(text, encoding string, size int, given ...string) error // reads a payload of a fleet; nil: payloads are taken as they are
	Open    func(name string) (io.ReadCloser, error)                     // opens a file that the file names; nil: none is looked at
}

// Load reads a product file strictly: a key or a name that nothing knows is a mistake. The error is a *Mistakes with everything
// that is wrong at once; the name is used in its messages only. What src may be is bounded: 1 MiB, nesting of 32, no aliases.
//
// Where the file names no variants the product has one, named default, with all users. Where a command has no qos it is 1.
func Load(name string, src []byte, known Known) (*Product, error) {
	l := &loader{known: known, form: productForm}
	if err := l.load(name, src, &l.product, l.rules); err != nil {
		return nil, err
	}
	l.defaults()
	return &l.product, nil
}

// load reads a file into a struct, and applies the rules to what was read. The error is a *Mistakes.
func (l *loader) load(name string, src []byte, into any, rules func()) error {
	l.places, l.refused = map[string]place{}, map[string]bool{}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if len(src) <= maxBytes {
		l.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	}
	if root := l.parse(src); root != nil {
		l.structure(root, reflect.ValueOf(into).Elem(), "", "the "+l.form.what)
		rules()
	}
	if len(l.found) == 0 {
		return nil
	}
	all := &Mistakes{File: name, List: l.found}
	all.sort()
	return all
}

// form is what is said of a file as a whole.
type form struct {
	what string // what it is
	one  string // what it describes
	keys string // what it begins with
	help string // how to get one
}

var productForm = form{"product file", "product", "product: and parts:", "shakedown init writes one to start with"}

// loader reads one file. The steps are: screen the bytes, tokenize, parse, turn into nodes, decode into the types, apply the rules.
type loader struct {
	known   Known
	form    form
	lines   []string
	product Product
	places  map[string]place // of every value that was decoded, by its path: "parts/0/role"
	refused map[string]bool  // paths with a mistake already, of which the rules say no more
	found   []Mistake
}

// place is where mistakes about a value are shown: at the value itself, or at the key of a whole mapping or list.
type place struct{ line, column int }

func (l *loader) add(line, column int, text, hint string) {
	excerpt := ""
	if line >= 1 && line <= len(l.lines) {
		excerpt = l.lines[line-1]
		if len(excerpt) > maxLine {
			excerpt = strings.ToValidUTF8(excerpt[:maxLine], "")
		}
	}
	l.found = append(l.found, Mistake{Line: line, Column: column, Excerpt: strings.TrimRight(excerpt, " \t\r"), Text: text, Hint: hint})
}

func (l *loader) addToken(t *token.Token, text, hint string) {
	var n node
	n.place(t)
	l.add(n.line, n.column, text, hint)
}

// parse gets from bytes to nodes; nil when mistakes leave nothing to go on with. A panic of the library is a mistake in the file.
func (l *loader) parse(src []byte) (root *node) {
	defer func() {
		if r := recover(); r != nil {
			l.add(1, 1, "not readable as YAML", "look for unclosed quotes and brackets")
			root = nil
		}
	}()
	if !l.screen(src) {
		return nil
	}
	tokens := l.tokenize()
	if len(l.found) > 0 {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		l.syntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			body = doc.Body
			break
		}
	}
	if body == nil {
		l.add(1, 1, "the file is empty", l.form.help)
		return nil
	}
	root = l.tree(body)
	if root.kind != mappingKind {
		l.add(root.line, root.column, fmt.Sprintf("not a %s: found %s where keys such as %s belong", l.form.what, root.kind, l.form.keys), l.form.help)
		return nil
	}
	return root
}

// syntax notes what the library says about a file that is no YAML.
func (l *loader) syntax(err error) {
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &at) {
		l.add(1, 1, "not readable as YAML", "look for unclosed quotes and brackets")
		return
	}
	l.addToken(at.GetToken(), "not readable as YAML: "+at.GetMessage(), "look for a missing space after a colon, unclosed quotes or brackets, and text that needs quotes")
}

// fault notes a mistake at a value, or at the nearest thing around it that is in the file.
func (l *loader) fault(path, text, hint string) {
	line, column := 1, 1
	for p := path; ; {
		at, ok := l.places[p]
		if ok {
			line, column = at.line, at.column
			break
		}
		cut := strings.LastIndexByte(p, '/')
		if cut < 0 {
			break
		}
		p = p[:cut]
	}
	l.add(line, column, text, hint)
}

// faultWithin is fault, pointing at a piece of the value's text if it stands on the same line.
func (l *loader) faultWithin(path, piece, text, hint string) {
	l.fault(path, text, hint)
	last := &l.found[len(l.found)-1]
	runes := []rune(last.Excerpt)
	from := min(max(0, last.Column-1), len(runes))
	if before, _, ok := strings.Cut(string(runes[from:]), piece); ok && piece != "" {
		last.Column += len([]rune(before))
	}
}

// has says whether the file has the value, and the decoder took it.
func (l *loader) has(path string) bool {
	_, ok := l.places[path]
	return ok && !l.refused[path]
}

func (l *loader) defaults() {
	p := &l.product
	if p.Fleet != nil {
		p.Fleet.Complete()
	}
	if len(p.Variants) == 0 {
		p.Variants = []Variant{{Name: "default", Share: 1}}
	}
	for i := range p.Parts {
		if p.Parts[i].Host == "" {
			p.Parts[i].Host = "localhost"
			if p.Parts[i].Network == InWorld {
				p.Parts[i].Host = "broker.example"
			}
		}
		if h := p.Parts[i].HTTP; h != nil && h.Type == "" {
			h.Type = "application/json"
		}
		m := p.Parts[i].MQTT
		if m != nil && m.Command != nil && !l.has(fmt.Sprintf("parts/%d/mqtt/command/qos", i)) {
			m.Command.QoS = 1
		}
	}
}
