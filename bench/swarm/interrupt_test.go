//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWithin looks for what is left of a run that ends and of one that is interrupted.
func TestWithin(t *testing.T) {
	base := t.TempDir()
	t.Setenv("TMPDIR", base)
	broken := errors.New("broken")
	for _, c := range []struct {
		name      string
		interrupt bool
		want      error
	}{{"ends", false, nil}, {"fails", false, broken}, {"interrupted", true, errInterrupted}} {
		t.Run(c.name, func(t *testing.T) {
			g := &groups{of: map[int]bool{}}
			ctx, interrupt := context.WithCancel(t.Context())
			over := make(chan struct{})
			sleeps := exec.Command("sleep", "60")
			sleeps.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			err := g.within(ctx, func(dir string) error {
				defer close(over)
				if _, err := os.MkdirTemp("", "deeper-"); err != nil {
					t.Error(err)
				}
				if in, _ := filepath.Glob(dir + "/deeper-*"); len(in) != 1 {
					t.Errorf("%q in the folder of the run, want one", in)
				}
				if err := g.start(sleeps); err != nil {
					t.Error(err)
				}
				if !c.interrupt {
					g.kill(sleeps.Process.Pid)
					return c.want
				}
				interrupt()
				if err := sleeps.Wait(); err == nil {
					t.Error("the program was not killed")
				}
				if err := g.start(exec.Command("true")); !errors.Is(err, errInterrupted) {
					t.Errorf("another program starts: %v", err)
				}
				return nil
			})
			interrupt()
			<-over
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if left, _ := os.ReadDir(base); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if os.TempDir() != base {
				t.Errorf("temporary files go to %s", os.TempDir())
			}
			if !c.interrupt {
				sleeps.Wait()
			}
		})
	}
}
