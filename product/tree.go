package product

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// kind is what a node of the file is, in the words of the messages.
type kind string

const (
	mappingKind kind = "a mapping"
	listKind    kind = "a list"
	textKind    kind = "text"
	numberKind  kind = "a number"
	boolKind    kind = "true or false"
	nullKind    kind = "nothing"
)

// node is a value in the file. Only what a product file may hold is left of YAML here: the library's tree ends in this file.
type node struct {
	kind         kind
	line, column int
	text         string  // scalars: text without quotes, numbers as written
	keys         []*node // mapping: the keys, no two alike
	values       []*node // mapping: the values beside keys; list: the items
}

// value is the value of a key, or nil.
func (n *node) value(key string) *node {
	for i, k := range n.keys {
		if k.text == key {
			return n.values[i]
		}
	}
	return nil
}

// tree turns the library's tree into nodes. The nesting is bounded by then. Mistakes are noted, and what can be kept is kept.
func (l *loader) tree(n ast.Node) *node {
	if n == nil {
		return &node{kind: nullKind, line: 1, column: 1}
	}
	out := &node{kind: textKind}
	out.place(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		l.mapping(out, n.Values)
	case *ast.MappingValueNode:
		l.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = listKind
		for _, item := range n.Values {
			out.values = append(out.values, l.tree(item))
		}
	case *ast.StringNode:
		out.text = n.Value
	case *ast.LiteralNode:
		out.text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = numberKind, n.GetToken().Value
	case *ast.BoolNode:
		out.kind, out.text = boolKind, n.GetToken().Value
	case *ast.NullNode:
		out.kind = nullKind
	default:
		l.add(out.line, out.column, fmt.Sprintf("%s is not read", n.Type()), "")
	}
	return out
}

func (l *loader) mapping(out *node, entries []*ast.MappingValueNode) {
	out.kind = mappingKind
	first := map[string]int{}
	for i, entry := range entries {
		t := entry.Key.GetToken()
		key := &node{kind: textKind, text: t.Value}
		key.place(t)
		if i == 0 {
			out.line, out.column = key.line, key.column
		}
		if line, twice := first[key.text]; twice {
			l.add(key.line, key.column, fmt.Sprintf("%s is set twice; first on line %d", short(key.text), line), "keep one of them")
			continue
		}
		first[key.text] = key.line
		out.keys = append(out.keys, key)
		out.values = append(out.values, l.tree(entry.Value))
	}
}

func (n *node) place(t *token.Token) {
	n.line, n.column = 1, 1
	if t != nil && t.Position != nil {
		n.line, n.column = max(1, t.Position.Line), max(1, t.Position.Column)
	}
}
