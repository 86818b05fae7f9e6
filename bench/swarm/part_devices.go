//go:build linux

package main

import (
	"fmt"
	"os"
	"time"
)

// devicesPart holds as many devices as one process and one machine are to hold.
func devicesPart(r *run) error {
	for _, d := range []struct{ devices, most int }{{17_000, 1}, {100_000, 100}} {
		conns, processes, took, m, err := r.hold(d.devices)
		if err != nil {
			return fmt.Errorf("%d devices: %w", d.devices, err)
		}
		r.row(fmt.Sprintf("%d devices connected at once", d.devices), "all, for 20 s",
			fmt.Sprintf("%d, by %d processes, within %s, %.0f MB of PSS", conns, processes, took.Round(time.Second), m.pss/1e6), holds(conns >= int64(d.devices) && (d.most > 1 || processes == 1)))
	}
	return nil
}

// hold connects devices and looks again after 20 s.
func (r *run) hold(devices int) (conns int64, processes int, took time.Duration, m memory, err error) {
	e, err := far("mqtt", 1+devices/14_000, setup{})
	if err != nil {
		return 0, 0, 0, m, err
	}
	defer e.end()
	dir, err := os.MkdirTemp(r.dir, "hold-")
	if err != nil {
		return 0, 0, 0, m, err
	}
	if _, err := shakedown(); err != nil {
		return 0, 0, 0, m, err
	}
	start := time.Now()
	c, err := ours(dir, amount{role: "mqtt", conns: devices, join: connectRate}, e, 5*time.Minute)
	if err != nil {
		return 0, 0, 0, m, err
	}
	stop, err := launch(c)
	if err != nil {
		return 0, 0, 0, m, err
	}
	defer func() {
		if said := stop(); err != nil {
			err = fmt.Errorf("%w; it said: %s", err, said)
		}
	}()
	if err := e.until(4*time.Minute, "all connect", func(f figures) bool { return f.Open >= int64(devices) }); err != nil {
		return 0, 0, 0, m, err
	}
	took = time.Since(start)
	time.Sleep(20 * time.Second)
	f, err := e.figures()
	if err != nil {
		return 0, 0, 0, m, err
	}
	m, err = held(c.Process.Pid)
	return f.Open, len(family(c.Process.Pid)), took, m, err
}
