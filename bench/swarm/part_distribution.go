//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

const agents = 4

// distributionPart plays a fleet with four agents at Debian's nats-server: as one process would, with an agent that is killed, and with a
// server that is started anew.
func distributionPart(r *run) error {
	p, err := program("nats/usr/sbin/nats-server")
	if err != nil {
		return err
	}
	program, err := shakedown()
	if err != nil {
		return err
	}
	d := &distributed{run: r, nats: p, program: program, store: filepath.Join(r.dir, "jetstream")}
	if d.port, err = freePort(); err != nil {
		return err
	}
	if err := d.begin(); err != nil {
		return err
	}
	defer func() { d.stop() }()
	var killed func()
	for k := range agents {
		c := exec.Command(program, "agent", "--nats", d.url(), "--source", fmt.Sprintf("127.0.%d.1", 10+k))
		stop, err := launch(c)
		if err != nil {
			return err
		}
		killed = func() { stop() }
		defer stop()
	}
	if err := d.same(); err != nil {
		return err
	}
	if err := d.restarted(); err != nil {
		return err
	}
	return d.lost(killed)
}

type distributed struct {
	*run
	nats, program, store string
	port                 string
	stop                 func() string
}

func (d *distributed) url() string { return "nats://127.0.0.1:" + d.port }

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port, l.Close()
}

func (d *distributed) begin() (err error) {
	if d.stop, err = launch(exec.Command(d.nats, "-a", "127.0.0.1", "-p", d.port, "-js", "-sd", d.store)); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+d.port); err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("nats-server does not listen: %s", d.stop())
		}
	}
}

// steady is the load of this part: far ends answer after 100 ms, so that latencies are not those of this machine.
var steady = amount{role: "mqtt", conns: 2000, rate: 2000, qos: 1}

func (d *distributed) flags() []string {
	return []string{"--nats", d.url(), "--agents", fmt.Sprint(agents)}
}

func (d *distributed) same() error {
	var p95, sent [2]float64
	for k, more := range [][]string{nil, d.flags()} {
		e, err := far("mqtt", 1, setup{Delay: 100 * time.Millisecond})
		if err != nil {
			return err
		}
		record, seen, err := d.whole(steady, e, 30*time.Second, more...)
		e.end()
		if err != nil {
			return err
		}
		p95[k], sent[k] = record.Quantile(series.Ack, 0.95), float64(record.Totals.Counts[series.Sent])
		if int64(sent[k]) != seen.all() {
			d.row("", "sent = received", fmt.Sprintf("sent %.0f, received %d", sent[k], seen.all()), missed)
		}
	}
	d.row(fmt.Sprintf("%d agents against one process", agents), "within 5 %", fmt.Sprintf("sent %+.1f %%, p95 %.1f ms and %.1f ms (%+.1f %%)", 100*(sent[1]/sent[0]-1), p95[0]*1e3, p95[1]*1e3, 100*(p95[1]/p95[0]-1)),
		holds(near(sent[0], sent[1]) && near(p95[0], p95[1])))
	return nil
}

func near(a, b float64) bool { return b > 0.95*a && b < 1.05*a }

// restarted starts the server anew in the middle.
func (d *distributed) restarted() error {
	e, err := far("mqtt", 1, setup{})
	if err != nil {
		return err
	}
	defer e.end()
	again := make(chan error, 1)
	go func() {
		time.Sleep(15 * time.Second)
		d.stop()
		time.Sleep(time.Second)
		again <- d.begin()
	}()
	record, seen, err := d.whole(steady, e, 30*time.Second, d.flags()...)
	if err := <-again; err != nil {
		return err
	}
	if err != nil {
		return err
	}
	sent, seconds := int64(record.Totals.Counts[series.Sent]), 0
	for _, p := range record.Points {
		if p.Second < 30 && p.Shares >= agents {
			seconds++
		}
	}
	d.row("NATS restarted in the middle", "nothing lost", fmt.Sprintf("sent %d, received %d; all shares told of %d of 30 seconds", sent, seen.all(), seconds), holds(sent == seen.all() && seconds == 30))
	return nil
}

// lost kills an agent in the middle, and waits until its devices are back.
func (d *distributed) lost(kill func()) error {
	e, err := far("mqtt", 1, setup{})
	if err != nil {
		return err
	}
	defer e.end()
	dir, err := os.MkdirTemp(d.dir, "lost-")
	if err != nil {
		return err
	}
	c, err := ours(dir, steady, e, 60*time.Second, d.flags()...)
	if err != nil {
		return err
	}
	stop, err := launch(c)
	if err != nil {
		return err
	}
	all := func(f figures) bool { return f.Open >= int64(steady.conns) }
	if err := e.until(time.Minute, "all connect", all); err != nil {
		return fmt.Errorf("%w; it said: %s", err, stop())
	}
	time.Sleep(3 * time.Second)
	start := time.Now()
	kill()
	if err := e.until(5*time.Second, "an agent's devices go", func(f figures) bool { return f.Open < int64(steady.conns*9/10) }); err != nil {
		return fmt.Errorf("%w; it said: %s", err, stop())
	}
	back := e.until(time.Minute, "an agent's devices are back", all)
	took := time.Since(start)
	if err := c.Wait(); err != nil && c.ProcessState == nil {
		return err
	}
	said := stop()
	record, err := recordIn(dir)
	if err != nil {
		return fmt.Errorf("%w; it said: %s", err, said)
	}
	d.row("an agent killed in the middle", "reported, devices back within 10 s", fmt.Sprintf("back after %.1f s; %q", took.Seconds(), record.Notes), holds(back == nil && took < 10*time.Second && len(record.Notes) > 0))
	return nil
}
