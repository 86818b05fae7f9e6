package tree

import (
	"context"
	"fmt"
	"io"
	"os"
)

// spool holds what is made. Its file has no name: it is gone with the process.
type spool struct {
	file *os.File
	used int64
}

func openSpool() (*spool, error) {
	f, err := os.CreateTemp("", "shakedown-opened-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w\nhint: see that %s can be written to", err, os.TempDir())
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("unlink a temporary file: %w", err)
	}
	return &spool{file: f}, nil
}

// growing is a content that is being made. Only one is at a time.
type growing struct {
	ctx    context.Context
	s      *spool
	from   int64
	limit  int64
	buffer []byte
	failed error // of the file itself
}

func (s *spool) begin(ctx context.Context, limit int64) *growing {
	return &growing{ctx: ctx, s: s, from: s.used, limit: limit}
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
	g.buffer = append(g.buffer, b...)
	if len(g.buffer) >= 1<<20 {
		g.flush()
	}
	return len(b), g.failed
}

func (g *growing) flush() {
	if g.failed == nil && len(g.buffer) > 0 {
		_, g.failed = g.s.file.WriteAt(g.buffer, g.s.used-int64(len(g.buffer)))
	}
	g.buffer = g.buffer[:0]
}

func (g *growing) end() (*io.SectionReader, error) {
	g.flush()
	if g.failed != nil {
		return nil, fmt.Errorf("write what was unpacked: %w\nhint: make room in %s", g.failed, os.TempDir())
	}
	return io.NewSectionReader(g.s.file, g.from, g.s.used-g.from), nil
}
