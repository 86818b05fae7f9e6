package boot

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// flattened is a flattened device tree, as in the Devicetree Specification v0.4, chapter 5. One with /images is a FIT image of U-Boot
// (doc/usage/fit/source_file_format.rst), whose images become parts.
var flattened = tree.Format{ID: "fdt", Title: "flattened device tree", Magic: []tree.Magic{{At: 0, Bytes: "\xd0\x0d\xfe\xed"}}, Search: true, Open: openFDT}

// DTNode is a node of a device tree.
type DTNode struct {
	Name       string
	Properties []DTProperty
	Children   []*DTNode
}

// DTProperty is a property with its value as it lies in the tree, at Offset.
type DTProperty struct {
	Name   string
	Value  []byte
	Offset int64
}

// Text is the value as a string: its first one, where there are several.
func (p DTProperty) Text() string {
	b, _, _ := bytes.Cut(p.Value, []byte{0})
	return strings.ToValidUTF8(string(b), "?")
}

// Child finds a child by name; nil when there is none.
func (n *DTNode) Child(name string) *DTNode {
	if n == nil {
		return nil
	}
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Property finds a property by name; the zero DTProperty when there is none.
func (n *DTNode) Property(name string) DTProperty {
	if n != nil {
		for _, p := range n.Properties {
			if p.Name == name {
				return p
			}
		}
	}
	return DTProperty{}
}

// number is the value of a property of one cell of 32 bits.
func (n *DTNode) number(name string) (int64, bool) {
	if v := n.Property(name).Value; len(v) == 4 {
		return int64(binary.BigEndian.Uint32(v)), true
	}
	return 0, false
}

const (
	fdtHead     = 40
	fdtLargest  = 64 << 20 // bytes of a tree, a FIT image with its data in it included
	fdtDeepest  = 32
	fdtNodes    = 50_000
	fdtBegin    = 1
	fdtEnd      = 2
	fdtProperty = 3
	fdtNop      = 4
	fdtOver     = 9
)

func openFDT(o *tree.Opening) error {
	head, err := o.Read(0, fdtHead)
	if err != nil {
		return tree.ErrNot
	}
	word := func(i int) int64 { return int64(binary.BigEndian.Uint32(head[4*i:])) }
	total, structure, texts, version, oldest := word(1), word(2), word(3), word(5), word(6)
	if version < 16 || oldest > 17 || total < fdtHead || total > min(o.Size(), fdtLargest) || structure >= total || texts > total || structure%4 != 0 {
		return tree.ErrNot
	}
	b, err := o.Read(0, int(total))
	if err != nil {
		return err
	}
	p := &fdtReader{b: b, at: structure, texts: b[texts:]}
	root, err := p.tree()
	if root == nil {
		return tree.ErrNot
	}
	if err != nil {
		o.Note(p.at, "%v", err)
	}
	o.Ends(total)
	o.Info(root)
	if images := root.Child("images"); images != nil {
		return openFIT(o, root, images, total)
	}
	o.Describe("%s", root.Property("model").Text())
	return nil
}

// fdtReader reads the structure block.
type fdtReader struct {
	b     []byte
	at    int64
	texts []byte
	nodes int
}

func (p *fdtReader) word() (uint32, bool) {
	if p.at < 0 || p.at+4 > int64(len(p.b)) {
		return 0, false
	}
	n := binary.BigEndian.Uint32(p.b[p.at:])
	p.at += 4
	return n, true
}

// tree reads the root and all in it. After an error the part that was read is there.
func (p *fdtReader) tree() (root *DTNode, err error) {
	var open []*DTNode
	for {
		at := p.at
		token, ok := p.word()
		switch {
		case !ok:
			return root, tree.Bad(at, "the structure ends in its midst")
		case token == fdtNop:
		case token == fdtOver:
			return root, nil
		case token == fdtBegin:
			n, err := p.begin()
			if err != nil {
				return root, err
			}
			if len(open) == 0 {
				if root != nil {
					return root, tree.Bad(at, "a second root")
				}
				root = n
			} else {
				parent := open[len(open)-1]
				parent.Children = append(parent.Children, n)
			}
			if open = append(open, n); len(open) > fdtDeepest {
				return root, tree.Bad(at, "nodes are nested more than %d deep", fdtDeepest)
			}
		case token == fdtEnd && len(open) > 0:
			open = open[:len(open)-1]
		case token == fdtProperty && len(open) > 0:
			n := open[len(open)-1]
			if err := p.property(n); err != nil {
				return root, err
			}
		default:
			return root, tree.Bad(at, "token %d is none", token)
		}
	}
}

func (p *fdtReader) begin() (*DTNode, error) {
	if p.nodes++; p.nodes > fdtNodes {
		return nil, tree.Bad(p.at, "more than %d nodes", fdtNodes)
	}
	n := bytes.IndexByte(p.b[p.at:], 0)
	if n < 0 || n > 1024 {
		return nil, tree.Bad(p.at, "the name of a node does not end")
	}
	name := string(p.b[p.at : p.at+int64(n)])
	p.at += (int64(n) + 4) &^ 3
	return &DTNode{Name: strings.ToValidUTF8(name, "?")}, nil
}

func (p *fdtReader) property(n *DTNode) error {
	at := p.at
	size, ok := p.word()
	name, also := p.word()
	if !ok || !also || int64(size) > int64(len(p.b))-p.at || int(name) >= len(p.texts) || len(n.Properties) > 10_000 {
		return tree.Bad(at, "a property reaches outside")
	}
	text, _, _ := bytes.Cut(p.texts[name:min(int(name)+1024, len(p.texts))], []byte{0})
	n.Properties = append(n.Properties, DTProperty{Name: strings.ToValidUTF8(string(text), "?"), Value: p.b[p.at : p.at+int64(size)], Offset: p.at})
	p.at += (int64(size) + 3) &^ 3
	return nil
}
