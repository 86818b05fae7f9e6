// Package cli is the command line: one file for each subcommand, which translates flags to a call of the packages below.
package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/shakedown-test/shakedown/testbed"
)

// System is the world outside this process.
type System struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
	Now    func() time.Time

	InTerminal, OutTerminal, ErrTerminal bool // which of the streams are a terminal

	Size    func() (columns, rows int)        // of the terminal on Stderr
	Signals func() (<-chan os.Signal, func()) // those that ask for an end, from now on; and how to stop listening
	Exit    func(code int)                    // ends the process at once
	Outside func() (testbed.Outside, error)   // the internet, as this machine reaches it
	Program func() (string, error)            // the file that this process runs
}

// OS is the system that this process runs on.
func OS() System {
	is := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	return System{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now,
		InTerminal: is(os.Stdin), OutTerminal: is(os.Stdout), ErrTerminal: is(os.Stderr),
		Size: func() (int, int) {
			if w, h, err := term.GetSize(int(os.Stderr.Fd())); err == nil && w > 0 && h > 0 {
				return w, h
			}
			return 80, 24
		},
		Signals: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 2)
			signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
			return c, func() { signal.Stop(c) }
		},
		Exit: os.Exit, Outside: outside, Program: os.Executable,
	}
}

// outside is the internet by way of this machine's networks.
func outside() (o testbed.Outside, err error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return o, fmt.Errorf("read the addresses of this machine: %w", err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			o.Near = append(o.Near, p.Masked())
		}
	}
	o.Dial = (&net.Dialer{}).DialContext
	o.Look = func(ctx context.Context, name string) ([]netip.Addr, error) {
		return net.DefaultResolver.LookupNetIP(ctx, "ip4", name+".")
	}
	return o, nil
}

// dumb reports whether the terminal understands no more than lines.
func (s System) dumb() bool { return s.Getenv("TERM") == "dumb" }

// colours reports whether colours may be written to a stream; see no-color.org.
func (s System) colours(terminal bool) bool {
	return terminal && !s.dumb() && s.Getenv("NO_COLOR") == ""
}
