//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

// ours is the command of shakedown swarm for an amount. Its run folder is dir/run.
func ours(dir string, a amount, e *farEnd, length time.Duration, more ...string) (*exec.Cmd, error) {
	program, err := shakedown()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "fleet.yaml")
	if err := os.WriteFile(file, []byte(fleetFile(a)), 0o600); err != nil {
		return nil, err
	}
	args := []string{"swarm", a.role + "://" + e.addr, "--fleet", file, "--for", length.String(), "--out", filepath.Join(dir, "run")}
	if e.ca != "" {
		ca := filepath.Join(dir, "ca.pem")
		if err := os.WriteFile(ca, []byte(e.ca), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--ca", ca)
	}
	return exec.Command(program, append(args, more...)...), nil
}

// shakedown builds the program, once.
var shakedown = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bench-swarm-program-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "shakedown")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/shakedown").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build shakedown: %w\n%s", err, out)
	}
	return program, nil
})

// fleetFile is a fleet that does what the floors do.
func fleetFile(a amount) string {
	var f strings.Builder
	joins := a.join
	if joins == 0 {
		joins = connectRate
	}
	fmt.Fprintf(&f, "devices: %d\nconnect_rate: %d\n", a.conns, joins)
	if a.watch {
		fmt.Fprint(&f, "operator: {id: operator}\n")
	}
	fmt.Fprint(&f, "classes:\n  meter:\n")
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
