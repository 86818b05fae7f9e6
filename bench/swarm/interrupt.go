//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

var errInterrupted = errors.New("interrupted")

// groups are the process groups that run, to end them all at once.
type groups struct {
	mu   sync.Mutex
	of   map[int]bool
	over bool
}

var running = &groups{of: map[int]bool{}}

// start starts a command in a group of its own, unless all is over.
func (g *groups) start(c *exec.Cmd) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return errInterrupted
	}
	if err := c.Start(); err != nil {
		return err
	}
	g.of[c.Process.Pid] = true
	return nil
}

// kill ends a group.
func (g *groups) kill(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of[pid] {
		delete(g.of, pid)
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// end ends all groups, for good.
func (g *groups) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	for pid := range g.of {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// within does something that may leave temporary files, and programs in groups, and lets none of them outlive it or ctx. When ctx ends first, what is
// done goes on, but finds neither; the error is errInterrupted.
func (g *groups) within(ctx context.Context, do func(dir string) error) error {
	dir, err := os.MkdirTemp("", "bench-swarm-")
	if err != nil {
		return fmt.Errorf("make a folder for what is temporary: %w", err)
	}
	before := os.TempDir()
	if err := os.Setenv("TMPDIR", dir); err != nil { // for all files of this program and of those that it starts
		return fmt.Errorf("use folder %s: %w", dir, err)
	}
	defer os.Setenv("TMPDIR", before)
	done := make(chan error, 1)
	go func() { done <- do(dir) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = errInterrupted
		g.end()
	}
	return errors.Join(err, os.RemoveAll(dir))
}
