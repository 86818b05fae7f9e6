//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// whole plays a fleet from beginning to end and gives its own record of it and what the far end has seen.
func (r *run) whole(a amount, e *farEnd, length time.Duration, more ...string) (*series.Record, figures, error) {
	dir, err := os.MkdirTemp(r.dir, "whole-")
	if err != nil {
		return nil, figures{}, err
	}
	c, err := ours(dir, a, e, length, more...)
	if err != nil {
		return nil, figures{}, err
	}
	stop, err := launch(c)
	if err != nil {
		return nil, figures{}, err
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err = <-done:
	case <-time.After(length + 2*time.Minute):
		err = errors.New("it does not end")
	}
	said := stop()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 3) {
		err = nil // a verdict on limits that are not of interest here
	}
	if err != nil {
		return nil, figures{}, fmt.Errorf("%w; it said: %s", err, said)
	}
	seen, err := e.figures()
	if err != nil {
		return nil, seen, err
	}
	record, err := recordIn(dir)
	if err != nil {
		return nil, seen, fmt.Errorf("%w; it said: %s", err, said)
	}
	return record, seen, nil
}

// recordIn reads the record that ours left in its folder.
func recordIn(dir string) (*series.Record, error) {
	f, err := os.Open(filepath.Join(dir, "run", "series.json"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return series.Read(f)
}
