// Package tree is what lies where in an artefact: a tree of contents, nested as deep as they are packed. It is also what a reader of a
// format writes against (Format, Opening), and what opens contents with such readers (Open).
//
// What is read here is hostile. Readers get at bytes only through an Opening, which bounds how much is made of them; whatever comes,
// the tree that was built so far stays, with notes that say where it went wrong.
package tree

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// Node is one content: a whole artefact, a part of one, or a file in one.
type Node struct {
	Name     string            // of a file its path in the file system, with slashes and without a leading one; of a part what it is called
	Format   string            // id of the Format that opened it; empty: none claims it
	About    string            // what the format says of itself: "4.0, little-endian, xz"
	Offset   int64             // of a part in its parent's data; -1: it was made from that, as by decompression
	Data     *io.SectionReader // its bytes; nil: it has none, as a folder or a link, or they could not be had
	File     *File             // of an entry of a file system or archive; nil for all else
	Info     any               // what its reader made of it, for those who know the type
	Notes    []Note            // what was odd, in the order in which it was met
	Parent   *Node             // nil for the artefact itself
	Children []*Node           // in the order in which they lie

	end    int64 // where it ends in the data that its reader was given; 0: with them
	failed bool  // its reader gave up
	done   bool  // it was opened, or nothing opens it
}

// File is what a file system or archive says of an entry.
type File struct {
	Mode     fs.FileMode // type, permissions, setuid, setgid and sticky bits
	UID, GID int
	Target   string    // of a symbolic link
	Modified time.Time // zero: not told
}

// Note is something odd that was met.
type Note struct {
	Offset int64 // in the data of the node; -1: nowhere in particular
	Text   string
}

// String is the note with its place.
func (n Note) String() string {
	if n.Offset < 0 {
		return n.Text
	}
	return fmt.Sprintf("at %#x: %s", n.Offset, n.Text)
}

// Size is how many bytes it has.
func (n *Node) Size() int64 {
	if n.Data == nil {
		return 0
	}
	return n.Data.Size()
}

// Leaf reports whether nothing is known to lie in it.
func (n *Node) Leaf() bool { return len(n.Children) == 0 }

// Path names it from the artefact on: "router.bin: rootfs at 0x1a0000: etc/passwd".
func (n *Node) Path() string {
	var words []string
	for ; n != nil; n = n.Parent {
		word := n.Name
		if n.Parent != nil && n.File == nil && n.Offset >= 0 {
			word = fmt.Sprintf("%s at %#x", word, n.Offset)
		}
		words = append([]string{word}, words...)
	}
	return strings.Join(words, ": ")
}

// All is the node and everything in it, outer ones first.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.walk(yield) }
}

func (n *Node) walk(yield func(*Node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, c := range n.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Root is the outermost node of the file system or archive that a file is in, whose Children are its files; for all else the node
// itself.
func (n *Node) Root() *Node {
	if n.File != nil && n.Parent != nil {
		return n.Parent
	}
	return n
}

// Read gives all its bytes, but not more than limit.
func (n *Node) Read(limit int64) ([]byte, error) {
	if n.Data == nil {
		return nil, nil
	}
	b := make([]byte, min(n.Data.Size(), limit))
	got, err := n.Data.ReadAt(b, 0)
	if err == io.EOF && got == len(b) {
		err = nil
	}
	return b[:got], err
}

// InfoOf lists what readers made of the node and of all in it, as far as it is a T.
func InfoOf[T any](root *Node) (nodes []*Node, infos []T) {
	for n := range root.All() {
		if info, ok := n.Info.(T); ok {
			nodes, infos = append(nodes, n), append(infos, info)
		}
	}
	return nodes, infos
}

// Uniform gives the byte of which all of b are one; false: they differ, or there is none.
func Uniform(b []byte) (c byte, same bool) {
	if len(b) == 0 {
		return 0, false
	}
	return b[0], bytes.Equal(b[1:], b[:len(b)-1])
}
