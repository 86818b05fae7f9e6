package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Opening is what a reader is given: the data, and the means to tell what is in them. It is used by one goroutine.
type Opening struct {
	Data *io.SectionReader // may go on beyond what the format covers; see Ends

	ctx  context.Context
	node *Node
	e    *explorer
}

// Context ends when no more is to be read.
func (o *Opening) Context() context.Context { return o.ctx }

// Size is that of Data in bytes.
func (o *Opening) Size() int64 { return o.Data.Size() }

// Read gives n bytes from offset at. It fails, and reads nothing, when there are not so many, and when n is above 64 MiB.
func (o *Opening) Read(at int64, n int) ([]byte, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	if at < 0 || n < 0 || at > o.Size() || int64(n) > o.Size()-at {
		return nil, Bad(at, "%d bytes are wanted, and %d are there", n, max(0, o.Size()-at))
	}
	if n > 64<<20 {
		return nil, Bad(at, "%d bytes are wanted at once", n)
	}
	b := make([]byte, n)
	if _, err := o.Data.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %d bytes at %#x: %w", n, at, err)
	}
	return b, nil
}

// Describe says what the format says of itself, in one line.
func (o *Opening) Describe(format string, args ...any) {
	o.node.About = cut(fmt.Sprintf(format, args...), longestNote)
}

// Info keeps what the reader made of the content, for those who know the type. Of what there is no room for it keeps nothing, with a note.
func (o *Opening) Info(info any) {
	weight := Weight(info)
	if o.e.told+weight > o.e.limits.Told {
		o.Note(-1, "what it says takes %d bytes of memory, for which there is no room", weight)
		return
	}
	o.e.told += weight
	o.node.Info = info
}

// Ends says that the format covers only the first size bytes of Data.
func (o *Opening) Ends(size int64) { o.node.end = min(max(size, 0), o.Size()) }

// Note says that something is odd at an offset of Data; -1 is nowhere in particular. After the first hundred of a node it says no more.
func (o *Opening) Note(at int64, format string, args ...any) {
	if len(o.node.Notes) >= 100 {
		return
	}
	for i, a := range args { // a long name is cut before it is quoted, which costs more than reading it
		if text, ok := a.(string); ok {
			args[i] = cut(text, longestNote)
		}
	}
	o.node.Notes = append(o.node.Notes, Note{at, cut(fmt.Sprintf(format, args...), longestNote)})
}

// Part tells of a stretch of Data. One that reaches beyond the end is cut there, with a note.
func (o *Opening) Part(name string, at, size int64) (*Node, error) {
	data, err := o.section(name, at, size)
	if err != nil {
		return nil, err
	}
	return o.add(&Node{Name: name, Offset: at, Data: data})
}

// section is a stretch of Data.
func (o *Opening) section(name string, at, size int64) (*io.SectionReader, error) {
	if at < 0 || size < 0 || at > o.Size() {
		return nil, Bad(at, "%s is said to lie at %d, %d bytes long: that is outside", name, at, size)
	}
	if size > o.Size()-at {
		o.Note(at, "%s is said to be %d bytes long, and %d are there", name, size, o.Size()-at)
		size = o.Size() - at
	}
	return io.NewSectionReader(o.Data, at, size), nil
}

// Made tells of a content that write makes. What was written before an error of write stays, with a note; only ErrLimit and the end of
// the context are returned.
func (o *Opening) Made(name string, write func(io.Writer) error) (*Node, error) {
	return o.made(&Node{Name: name, Offset: -1}, write)
}

// Entry tells of a file of a file system or archive, whose bytes write makes; nil: it has none. Its name is where it would lie: one that
// leads out of the file system is noted and made to stay inside.
func (o *Opening) Entry(name string, f File, write func(io.Writer) error) (*Node, error) {
	n := &Node{Name: o.inside(name), Offset: -1, File: &f}
	if write == nil || !f.Mode.IsRegular() {
		return o.add(n)
	}
	return o.made(n, write)
}

// Stored tells of a file of a file system or archive whose bytes lie in Data as they are.
func (o *Opening) Stored(name string, f File, at, size int64) (*Node, error) {
	name = o.inside(name)
	data, err := o.section(name, at, size)
	if err != nil {
		o.Note(at, "%s: %v", name, err)
	}
	return o.add(&Node{Name: name, Offset: at, Data: data, File: &f})
}

// inside makes a path one of the file system.
func (o *Opening) inside(name string) string {
	name = cut(name, longestName)
	clean := strings.TrimPrefix(path.Clean("/"+strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", "?"), "?")), "/")
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			o.Note(-1, "a file is called %q, which leads out of it", name)
			break
		}
	}
	if clean == "" {
		clean = "."
	}
	return clean
}

func (o *Opening) made(n *Node, write func(io.Writer) error) (*Node, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	w := o.e.spool.begin(o.ctx, o.e.limits.Bytes)
	err := o.e.guarded(func() error { return write(w) })
	data, spoolErr := w.end()
	if spoolErr != nil {
		return nil, spoolErr
	}
	n.Data = data
	if _, added := o.add(n); added != nil {
		return nil, added
	}
	if err == nil {
		return n, nil
	}
	n.note(err)
	if errors.Is(err, ErrLimit) || o.ctx.Err() != nil {
		return n, err
	}
	return n, nil
}

func (o *Opening) add(n *Node) (*Node, error) {
	if err := o.e.room(); err != nil {
		return nil, err
	}
	o.e.nodes++
	o.e.told += nodeWeight + int64(len(n.Name))
	if n.File != nil {
		n.File.Target = cut(n.File.Target, longestName)
		o.e.told += int64(len(n.File.Target))
	}
	n.Parent = o.node
	o.node.Children = append(o.node.Children, n)
	return n, nil
}

// note keeps an error as a note.
func (n *Node) note(err error) {
	var at *offsetError
	if errors.As(err, &at) {
		text := err.Error()
		n.Notes = append(n.Notes, Note{at.offset, cut(strings.Replace(text, at.Error(), at.text, 1), longestNote)})
		return
	}
	n.Notes = append(n.Notes, Note{-1, cut(err.Error(), longestNote)})
}

// Regular is what is known of a file of which only its name is.
func Regular() File { return File{Mode: fs.FileMode(0o644)} }
