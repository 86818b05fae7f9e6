package tree

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
)

// spool holds what is made: what is small in memory, the rest in a file without a name, which is gone with the process.
type spool struct {
	used   int64 // bytes that were made
	memory int64 // bytes of it that are held in memory
	file   *os.File
	filled int64 // bytes of the file
	wrote  int64 // up to where it was ever written: beyond that it may have holes, which are zeros
	failed error // of the file
}

const (
	small     = 64 << 10 // bytes of a content that is held in memory
	inMemory  = 64 << 20 // bytes that are held there in all
	atOnce    = 1 << 20  // bytes that are written to the file at once
	temporary = "shakedown-opened-"
)

// grow makes the file, when it is needed.
func (s *spool) grow() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp("", temporary)
	if err != nil {
		return fmt.Errorf("make a temporary file: %w\nhint: see that %s can be written to", err, os.TempDir())
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return fmt.Errorf("unlink a temporary file: %w", err)
	}
	s.file = f
	return nil
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// growing is a content that is being made. Only one is at a time.
type growing struct {
	ctx    context.Context
	s      *spool
	limit  int64
	from   int64 // in the file
	size   int64
	buffer []byte
}

func (s *spool) begin(ctx context.Context, limit int64) *growing {
	return &growing{ctx: ctx, s: s, from: s.filled, limit: limit}
}

// Write appends.
func (g *growing) Write(b []byte) (int, error) {
	if err := g.ctx.Err(); err != nil {
		return 0, err
	}
	if g.s.used+int64(len(b)) > g.limit {
		return 0, fmt.Errorf("%w: it unpacks to more than %d bytes in all", ErrLimit, g.limit)
	}
	g.s.used += int64(len(b))
	g.size += int64(len(b))
	g.buffer = append(g.buffer, b...)
	if len(g.buffer) >= atOnce {
		g.flush()
	}
	return len(b), g.s.failed
}

func (g *growing) flush() {
	s := g.s
	if s.failed == nil {
		s.failed = s.grow()
	}
	if s.failed == nil && len(g.buffer) > 0 {
		if c, same := Uniform(g.buffer); !same || c != 0 || s.filled < s.wrote {
			s.failed = s.write(g.buffer)
		}
		s.filled += int64(len(g.buffer))
	}
	g.buffer = g.buffer[:0]
}

func (s *spool) write(b []byte) error {
	if _, err := s.file.WriteAt(b, s.filled); err != nil {
		return fmt.Errorf("write what was unpacked: %w\nhint: make room in %s", err, os.TempDir())
	}
	s.wrote = max(s.wrote, s.filled+int64(len(b)))
	return nil
}

func (g *growing) end() (*io.SectionReader, error) {
	if g.size <= small && g.s.memory+g.size <= inMemory {
		g.s.memory += g.size
		return io.NewSectionReader(bytes.NewReader(bytes.Clone(g.buffer)), 0, g.size), nil
	}
	g.flush()
	if g.s.failed == nil && g.s.filled > g.s.wrote { // it ends in a hole
		if err := g.s.file.Truncate(g.s.filled); err != nil {
			g.s.failed = fmt.Errorf("make a temporary file longer: %w", err)
		}
	}
	if g.s.failed != nil {
		return nil, g.s.failed
	}
	return io.NewSectionReader(g.s.file, g.from, g.size), nil
}
