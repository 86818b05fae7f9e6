package squash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

func isLimit(err error) bool { return errors.Is(err, tree.ErrLimit) }

// block is one of data that is to be unpacked.
type block struct {
	at     int64
	size   int // as it lies there
	packed bool
	want   int // unpacked, at most
	out    []byte
	err    error
	done   chan struct{}
}

// piece is a stretch of a file.
type piece struct {
	*block       // nil: zeros
	from, n int  // of the block
	first   bool // nobody had a piece of the block before
	err     error
	last    bool // of the file
}

// pipeline unpacks blocks by several goroutines, in the order in which files need them.
type pipeline struct {
	*image
	ctx    context.Context
	jobs   chan *block
	pieces chan piece
	places chan struct{} // one for each block that is on its way

	fragments map[uint32]*block
	recent    []uint32 // the fragments, oldest first
}

const fragmentsKept = 16

// emit tells of all entries.
func (m *image) emit(entries []entry) error {
	ctx, cancel := context.WithCancel(m.o.Context())
	workers := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	p := &pipeline{
		image: m, ctx: ctx, jobs: make(chan *block, 4*workers), pieces: make(chan piece, 1024), places: make(chan struct{}, 4*workers),
		fragments: map[uint32]*block{},
	}
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for range workers {
		group.Go(p.unpack)
	}
	group.Go(func() {
		defer close(p.jobs)
		defer close(p.pieces)
		p.plan(entries)
	})
	for i := range entries {
		e := &entries[i]
		if e.broken != nil {
			m.o.Note(m.inodeTable, "%s cannot be read: %v", e.name, e.broken)
			continue
		}
		var write func(io.Writer) error
		if e.other != "" {
			e.file.Mode, e.file.Target = e.file.Mode|fs.ModeIrregular, e.other
		} else if e.kind == kindFile {
			write = func(w io.Writer) error { return p.write(w, e) }
		}
		if _, err := m.o.Entry(e.name, e.file, write); err != nil {
			return err
		}
	}
	return nil
}

// write writes the pieces of one file. A block that is damaged becomes zeros.
func (p *pipeline) write(w io.Writer, e *entry) error {
	var first error
	for left := e.size; left > 0; {
		var c piece
		var ok bool
		select {
		case c, ok = <-p.pieces:
		case <-p.ctx.Done():
		}
		if !ok {
			return p.ctx.Err()
		}
		b, err := p.bytes(&c)
		if first == nil {
			first = err
		}
		for n := c.n; n > 0; { // zeros may be more than b has
			part := b[:min(n, len(b))]
			if _, err := w.Write(part); err != nil {
				return err
			}
			n -= len(part)
		}
		left -= int64(c.n)
		if c.last {
			break
		}
	}
	return first
}

var zeros [1 << 20]byte

// bytes are those of a piece, when they are there.
func (p *pipeline) bytes(c *piece) ([]byte, error) {
	if c.block == nil {
		return zeros[:min(c.n, len(zeros))], c.err
	}
	select {
	case <-c.done:
	case <-p.ctx.Done():
		return nil, p.ctx.Err()
	}
	if c.first {
		<-p.places
	}
	if c.block.err != nil {
		return zeros[:c.n], c.block.err
	}
	if c.from+c.n > len(c.out) {
		return zeros[:c.n], tree.Bad(c.at, "a block of %d bytes is there, of which those from %d to %d are wanted", len(c.out), c.from, c.from+c.n)
	}
	return c.out[c.from : c.from+c.n], nil
}

// unpack does jobs.
func (p *pipeline) unpack() {
	for b := range p.jobs {
		if p.ctx.Err() == nil {
			b.out, b.err = p.unpacked(b)
		}
		close(b.done)
	}
}

func (p *pipeline) unpacked(b *block) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its reader failed: %v", r)
		}
	}()
	src := make([]byte, b.size)
	if _, err := p.o.Data.ReadAt(src, b.at); err != nil {
		return nil, tree.Bad(b.at, "a block of %d bytes is not all there", b.size)
	}
	if !b.packed {
		return src, nil
	}
	out, err = p.codec.unpack(make([]byte, 0, b.want), src, b.want)
	if err != nil {
		return nil, tree.Bad(b.at, "a block cannot be unpacked: %v", err)
	}
	return out, nil
}
