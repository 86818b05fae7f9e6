//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// amount is what a side is to do.
type amount struct {
	role   string // of the far end
	conns  int
	rate   int // a second
	qos    int
	join   int           // connections a second; 0: as all do
	window int           // messages of QoS 1 in flight; 0: the default
	watch  bool          // the operator counts what arrives
	pause  time.Duration // before the window opens, once messages flow
	span   time.Duration // of the window
}

// side is one program that can do it.
type side struct {
	name  string
	start func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error)
}

// floorSide is a floor, which is a role of this program.
func floorSide(role string) side {
	return side{"floor", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
		return command(role, setup{To: e.addr, Conns: a.conns, Rate: a.rate, QoS: a.qos, For: length})
	}}
}

// closedSide is a floor of the closed model, over 100 connections.
func closedSide(role string) side {
	return side{"closed floor", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
		return command(role, setup{To: e.addr, Conns: 100, QoS: a.qos, For: length})
	}}
}

// flow is what a side used for each message, in µs of CPU, and how many messages a second came.
type flow struct{ each, rate float64 }

// window runs a side against a fresh far end and takes what it uses while messages flow.
func window(s side, a amount) (f flow, err error) {
	e, err := far(a.role, 1, setup{})
	if err != nil {
		return f, err
	}
	defer e.end()
	const join = 20 * time.Second
	c, err := s.start(a, e, join+a.pause+a.span)
	if err != nil {
		return f, err
	}
	stop, err := launch(c)
	if err != nil {
		return f, fmt.Errorf("%s: %w", s.name, err)
	}
	defer func() {
		if said := stop(); err != nil {
			err = fmt.Errorf("%s: %w; it said: %s", s.name, err, said)
		}
	}()
	if err := e.until(join, "messages flow", func(f figures) bool { return f.all() > int64(a.conns) }); err != nil {
		return f, err
	}
	time.Sleep(a.pause)
	from, used, start, err := sample(e, c.Process.Pid)
	if err != nil {
		return f, err
	}
	time.Sleep(a.span)
	to, total, end, err := sample(e, c.Process.Pid)
	if err != nil {
		return f, err
	}
	n := float64(to.all() - from.all())
	if n == 0 {
		return f, fmt.Errorf("no message came in %s", a.span)
	}
	return flow{float64((total - used).Microseconds()) / n, n / end.Sub(start).Seconds()}, nil
}

func sample(e *farEnd, pid int) (f figures, used time.Duration, at time.Time, err error) {
	if f, err = e.figures(); err != nil {
		return f, 0, at, err
	}
	at = time.Now()
	used, err = cpu(pid)
	return f, used, at, err
}

// launch starts a command with all its children in a group of its own. What it returns ends them all and gives the end of what they said.
func launch(c *exec.Cmd) (stop func() string, err error) {
	said := &tail{}
	if c.Stdout == nil {
		c.Stdout = said
	}
	c.Stderr = said
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := running.start(c); err != nil {
		return nil, err
	}
	return func() string {
		running.kill(c.Process.Pid)
		c.Wait()
		return said.String()
	}, nil
}

// tail keeps the end of what is written.
type tail struct{ bytes.Buffer }

func (t *tail) Write(b []byte) (int, error) {
	t.Buffer.Write(b)
	if over := t.Len() - 2000; over > 0 {
		t.Next(over)
	}
	return len(b), nil
}

// alternate runs all sides in turn, some times over, and gives the medians by name. A side that fails is reported and left out.
func (r *run) alternate(sides []side, a amount) map[string]flow {
	each, rate := map[string][]float64{}, map[string][]float64{}
	failed := map[string]bool{}
	for range r.runs {
		for _, s := range sides {
			if failed[s.name] {
				continue
			}
			f, err := window(s, a)
			if err != nil {
				failed[s.name] = true
				v := leftOut
				if s.name == swarmSide.name {
					v = absent
				}
				r.row(s.name, "", err.Error(), v)
				continue
			}
			each[s.name] = append(each[s.name], f.each)
			rate[s.name] = append(rate[s.name], f.rate)
		}
	}
	medians := map[string]flow{}
	for name := range each {
		medians[name] = flow{median(each[name]), median(rate[name])}
	}
	return medians
}
