//go:build linux

package main

import (
	"fmt"
	"os/exec"
	"time"
)

const (
	connectRate = 4000
	oneProcess  = 15_000 // devices
	oneTarget   = 36_000
)

// connectingSide is the floor of connecting.
var connectingSide = side{"floor", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	return command("connecting", setup{To: e.addr, Conns: a.conns, Rate: connectRate, For: length})
}}

// connectPart compares what a connection costs, and looks for a cliff on the way to many connections at one address.
func connectPart(r *run) error {
	costs := map[string][]float64{}
	sides := []side{connectingSide, swarmSide, paho, mqttjs}
	for range r.runs {
		for _, s := range sides {
			conns := oneProcess
			if s.name == paho.name || s.name == mqttjs.name {
				conns = 5000
			}
			steps, err := connects(s, conns, 2000)
			if err != nil {
				if len(costs[s.name]) == 0 {
					r.row(s.name, "", err.Error(), absent)
				}
				continue
			}
			costs[s.name] = append(costs[s.name], mean(steps))
		}
	}
	floor := median(costs["floor"])
	for _, s := range sides {
		of, there := costs[s.name]
		bar, v := "", none
		if s.name == swarmSide.name {
			bar, v = "<= 2 x floor", holds(median(of) <= 2*floor)
		}
		if there {
			r.row("CPU of a connect, "+s.name, bar, fmt.Sprintf("%.1f µs, %.2f x floor", median(of), median(of)/floor), v)
		}
	}
	steps, err := connects(swarmSide, oneTarget, 4000)
	if err != nil {
		return fmt.Errorf("%d devices at one address: %w", oneTarget, err)
	}
	most, least := 0.0, steps[0].each
	for _, s := range steps {
		most, least = max(most, s.each), min(least, s.each)
	}
	last := steps[len(steps)-1].each
	r.row(fmt.Sprintf("%d devices at one host:port", oneTarget), "no cliff: last step <= 1.5 x first",
		fmt.Sprintf("%.2f x; %.0f to %.0f µs over %d steps", last/steps[0].each, least, most, len(steps)), holds(last <= 1.5*steps[0].each))
	return nil
}

// step is what a connection cost, in µs, between two samples.
type step struct{ each, conns float64 }

func mean(steps []step) float64 {
	sum, n := 0.0, 0.0
	for _, s := range steps {
		sum += s.each * s.conns
		n += s.conns
	}
	return sum / n
}

// connects runs a side that only connects, and samples what it used after each some connections; the first some, with which it also starts,
// do not count.
func connects(s side, conns, every int) (steps []step, err error) {
	e, err := far("mqtt", 1+conns/12_000, setup{})
	if err != nil {
		return nil, err
	}
	defer e.end()
	c, err := s.start(amount{role: "mqtt", conns: conns}, e, 5*time.Minute)
	if err != nil {
		return nil, err
	}
	stop, err := launch(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	defer func() {
		if said := stop(); err != nil {
			err = fmt.Errorf("%w; it said: %s", err, said)
		}
	}()
	var before figures
	var used time.Duration
	for want := every; want <= conns; want += every {
		if err := e.until(time.Minute, "connect", func(f figures) bool { return f.Sessions >= int64(want) }); err != nil {
			return nil, err
		}
		f, total, _, err := sample(e, c.Process.Pid)
		if err != nil {
			return nil, err
		}
		if n := float64(f.Sessions - before.Sessions); before.Sessions > 0 && n > 0 {
			steps = append(steps, step{float64((total - used).Microseconds()) / n, n})
		}
		before, used = f, total
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("no step of %d connections could be sampled", every)
	}
	return steps, nil
}
