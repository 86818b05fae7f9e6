//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// child is a process of this program in one of its roles.
type child struct {
	role string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// command is this program in a role.
func command(role string, s setup) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	arg, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write setup of %s: %w", role, err)
	}
	c := exec.Command(self, role, string(arg))
	c.Stderr = os.Stderr
	return c, nil
}

// begin starts a process in a role; a far end is ready when this returns.
func begin(role string, s setup) (*child, figures, error) {
	cmd, err := command(role, s)
	if err != nil {
		return nil, figures{}, err
	}
	c := &child{role: role, cmd: cmd}
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, figures{}, fmt.Errorf("pipe to %s: %w", role, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, figures{}, fmt.Errorf("pipe from %s: %w", role, err)
	}
	c.out = bufio.NewReaderSize(out, 1<<16)
	if err := cmd.Start(); err != nil {
		return nil, figures{}, fmt.Errorf("start %s: %w", role, err)
	}
	f, err := c.hear()
	return c, f, err
}

func (c *child) hear() (f figures, err error) {
	line, err := c.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &f)
	}
	if err != nil {
		return f, fmt.Errorf("listen to %s: %w", c.role, err)
	}
	if f.Failed != "" {
		return f, errors.New(f.Failed)
	}
	return f, nil
}

func (c *child) ask(what string) (figures, error) {
	if _, err := io.WriteString(c.in, what+"\n"); err != nil {
		return figures{}, fmt.Errorf("ask %s: %w", c.role, err)
	}
	return c.hear()
}

func (c *child) end() {
	c.in.Close()
	c.cmd.Wait()
}

// farEnd is one or several processes behind one port.
type farEnd struct {
	addr string
	ca   string
	all  []*child
}

// far starts a far end of n processes.
func far(role string, n int, s setup) (*farEnd, error) {
	e := &farEnd{}
	for range n {
		c, f, err := begin(role, s)
		if err != nil {
			e.end()
			return nil, err
		}
		e.all = append(e.all, c)
		e.addr, e.ca = f.Addr, f.CA
		_, port, _ := strings.Cut(f.Addr, ":")
		s.Port, _ = strconv.Atoi(port) // it is one of the program's own
	}
	return e, nil
}

func (e *farEnd) figures() (sum figures, err error) {
	for _, c := range e.all {
		f, err := c.ask("figures")
		if err != nil {
			return sum, err
		}
		sum.add(f)
	}
	return sum, nil
}

// until waits until the figures are as wanted.
func (e *farEnd) until(most time.Duration, what string, wanted func(figures) bool) error {
	for end := time.Now().Add(most); ; time.Sleep(50 * time.Millisecond) {
		f, err := e.figures()
		if err != nil {
			return err
		}
		if wanted(f) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %s; the far end has seen %d connections, %d sessions, %d messages", what, most, f.Open, f.Sessions, f.all())
		}
	}
}

func (e *farEnd) end() {
	for _, c := range e.all {
		c.end()
	}
}
