//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// swarmSide is shakedown swarm.
var swarmSide = side{"shakedown swarm", func(a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	dir, err := os.MkdirTemp("", "bench-swarm-ours-")
	if err != nil {
		return nil, err
	}
	return ours(dir, a, e, length)
}}

// ours is the command of shakedown swarm, or of the engine in a process of its own, for an amount. What it reports comes into dir.
func ours(dir string, a amount, e *farEnd, length time.Duration) (*exec.Cmd, error) {
	file := filepath.Join(dir, "fleet.yaml")
	if err := os.WriteFile(file, []byte(fleetFile(a)), 0o600); err != nil {
		return nil, err
	}
	s := setup{To: e.addr, File: file, Scheme: a.role, For: length, Out: dir, Watch: a.watch}
	if e.ca != "" {
		s.Roots = filepath.Join(dir, "ca.pem")
		if err := os.WriteFile(s.Roots, []byte(e.ca), 0o600); err != nil {
			return nil, err
		}
	}
	return command("engine", s)
}

// fleetFile is a fleet that does what the floors do.
func fleetFile(a amount) string {
	var f strings.Builder
	joins := a.join
	if joins == 0 {
		joins = connectRate
	}
	fmt.Fprintf(&f, "devices: %d\nconnect_rate: %d\nclasses:\n  meter:\n", a.conns, joins)
	if a.rate == 0 {
		fmt.Fprint(&f, "    keep_alive: 600s\n")
		return f.String()
	}
	every := time.Duration(float64(a.conns) / float64(a.rate) * float64(time.Second))
	fmt.Fprintf(&f, "    telemetry:\n      - topic: d/{n:06}/t\n        encoding: bytes\n        payload: \"{n}:{seq}:{stamp}:{fill}\"\n        size: %d\n        every: %s\n", payloadSize, every)
	if a.qos > 0 {
		fmt.Fprintf(&f, "        qos: %d\n", a.qos)
	}
	if a.window > 0 {
		fmt.Fprintf(&f, "    window: %d\n", a.window)
	}
	return f.String()
}
