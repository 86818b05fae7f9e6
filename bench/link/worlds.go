package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// worlds measures what it takes to have internets.
func worlds() ([]figure, error) {
	var ten []internet.Network
	for i := range 10 {
		ten = append(ten, internet.Network{Name: fmt.Sprintf("net%d", i)})
	}
	var took []time.Duration
	for range 10 {
		start := time.Now()
		w, err := internet.Open(internet.Config{Clock: clock.New(1), Networks: ten})
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
		w.Close()
	}
	slices.Sort(took)
	figures := []figure{{"opening a world with 10 networks, p50", percentile(took, 0.5), "ms", 100, true, ""}}

	debug.FreeOSMemory()
	const many = 200
	start := time.Now()
	for range many {
		w, err := internet.Open(internet.Config{Clock: clock.New(1)})
		if err != nil {
			return nil, err
		}
		defer w.Close()
		if _, _, err := w.Home().Host("device"); err != nil {
			return nil, err
		}
	}
	figures = append(figures, figure{"opening 200 worlds with a device each", float64(time.Since(start)) / 1e6, "ms", 0, true, ""})
	rss, err := resident()
	if err != nil {
		return figures, err
	}
	return append(figures, figure{"memory of the process with 200 worlds at once", rss, "MiB", 1024, true, "resident"}), nil
}

// resident is the process's resident memory in MiB.
func resident() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kib); err == nil {
			return kib / 1024, nil
		}
	}
	return 0, fmt.Errorf("/proc/self/status tells no VmRSS")
}
