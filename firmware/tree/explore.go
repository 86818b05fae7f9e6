package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// Opened is an artefact with all that was found in it.
type Opened struct {
	Root  *Node
	spool *spool
}

// Close frees what the data of the nodes are read from.
func (o *Opened) Close() error { return o.spool.close() }

// Open finds out what is in data. Whatever they are, there is a tree; an error says that this machine failed. When ctx ends, what was
// found so far is there, with a note at the root.
func Open(ctx context.Context, name string, data *io.SectionReader, formats []Format, limits Limits) (*Opened, error) {
	s := &spool{}
	e := &explorer{formats: formats, limits: limits.withDefaults(data.Size()), spool: s, magic: newMagicIndex(formats)}
	root := &Node{Name: name, Data: data}
	err := e.explore(ctx, root, 0)
	if s.failed != nil {
		return nil, errors.Join(s.failed, s.close())
	}
	if err != nil {
		root.note(fmt.Errorf("not all of it was opened: %w", err))
	}
	return &Opened{root, s}, nil
}

// explorer opens one artefact.
type explorer struct {
	formats []Format
	limits  Limits
	spool   *spool
	magic   *magicIndex
	nodes   int
	told    int64 // bytes of memory
}

// explore opens a node and all in it. An error ends the whole.
func (e *explorer) explore(ctx context.Context, n *Node, depth int) error {
	if n.Data != nil && n.Data.Size() >= 2 && !n.done {
		if depth >= e.limits.Depth {
			n.note(fmt.Errorf("%w: it is nested %d deep", ErrLimit, depth))
			return nil
		}
		n.done = true
		opened, err := e.whole(ctx, n)
		e.told += notesWeight(n)
		if err == nil && !opened {
			err = e.search(ctx, n, 0)
		}
		if err != nil {
			return err
		}
	}
	for _, c := range n.Children {
		if err := e.explore(ctx, c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// whole opens the node by a format that begins where it does, and says whether there is one. What follows the end of that is searched.
func (e *explorer) whole(ctx context.Context, n *Node) (opened bool, err error) {
	head := make([]byte, 64)
	read, _ := n.Data.ReadAt(head, 0)
	for i := range e.formats {
		f := &e.formats[i]
		if !f.begins(n.Data, head[:read]) {
			continue
		}
		got, err := e.try(ctx, f, n.Data, false)
		if err != nil {
			return false, err
		}
		if got == nil {
			continue
		}
		if got.failed && got.Leaf() { // what it is may be another matter
			for _, note := range got.Notes {
				n.note(Bad(note.Offset, "it begins like %s, and is none: %s", f.Title, note.Text))
			}
			continue
		}
		end := got.end
		if end == 0 || end >= n.Data.Size() || padding(n.Data, end) {
			n.Format, n.About, n.Info, n.Children = got.Format, got.About, got.Info, got.Children
			n.Notes = append(n.Notes, got.Notes...)
			for _, c := range n.Children {
				c.Parent = n
			}
			return true, nil
		}
		e.claim(n, got, 0, end)
		return true, e.search(ctx, n, end)
	}
	return false, nil
}

// claim makes an opened content a part of the node.
func (e *explorer) claim(n, part *Node, at, size int64) {
	part.Name, part.Offset, part.Parent, part.done = part.Format, at, n, true
	part.Data = io.NewSectionReader(n.Data, at, size)
	n.Children = append(n.Children, part)
	e.nodes++
	e.told += nodeWeight
}

// try opens data by a format; nil: they are something else. With strict set, data that the reader is unhappy about are.
func (e *explorer) try(ctx context.Context, f *Format, data *io.SectionReader, strict bool) (*Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n := &Node{Format: f.ID}
	made, nodes, told := *e.spool, e.nodes, e.told
	o := &Opening{Data: data, ctx: ctx, node: n, e: e}
	err := e.guarded(func() error { return f.Open(o) })
	if errors.Is(err, ErrNot) || err != nil && strict && n.Leaf() {
		e.spool.used, e.spool.memory, e.spool.filled, e.nodes, e.told = made.used, made.memory, made.filled, nodes, told // as if it had not been tried
		return nil, ctx.Err()
	}
	if err != nil {
		n.failed = true
		n.note(err)
	}
	return n, ctx.Err()
}

// guarded turns a panic of a reader into an error, so that one format's fault is not the end of the rest.
func (e *explorer) guarded(f func() error) (err error) {
	if e.limits.Unguarded {
		return f()
	}
	defer func() {
		if p := recover(); p != nil {
			at := ""
			for line := range strings.SplitSeq(string(debug.Stack()), "\n") {
				if strings.Contains(line, "/firmware/") && !strings.Contains(line, "/firmware/tree/") && strings.Contains(line, ".go:") {
					at = " (" + strings.TrimSpace(line[strings.LastIndex(line, "/firmware/")+1:]) + ")"
					break
				}
			}
			err = fmt.Errorf("its reader failed: %v%s", p, at)
		}
	}()
	return f()
}

// begins reports whether data, of which the first bytes were read, begin as the format does.
func (f *Format) begins(data *io.SectionReader, head []byte) bool {
	if len(f.Magic) == 0 {
		return true
	}
	for _, m := range f.Magic {
		if end := m.At + int64(len(m.Bytes)); end <= int64(len(head)) {
			if string(head[m.At:end]) == m.Bytes {
				return true
			}
			continue
		}
		if m.At+int64(len(m.Bytes)) > data.Size() {
			continue
		}
		b := make([]byte, len(m.Bytes))
		if n, _ := data.ReadAt(b, m.At); n == len(b) && string(b) == m.Bytes {
			return true
		}
	}
	return false
}

// padding reports whether from there on all bytes are the same.
func padding(data *io.SectionReader, from int64) bool {
	buffer := make([]byte, min(64<<10, data.Size()-from))
	first := -1
	for at := from; at < data.Size(); {
		n, err := data.ReadAt(buffer, at)
		for _, b := range buffer[:n] {
			if first < 0 {
				first = int(b)
			}
			if int(b) != first {
				return false
			}
		}
		at += int64(n)
		if err != nil && at < data.Size() {
			return false
		}
	}
	return true
}
