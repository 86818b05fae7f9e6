//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// family is the ids of a process and of all its children, and theirs.
func family(pid int) []int {
	all := []int{pid}
	for at := 0; at < len(all); at++ {
		lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", all[at]))
		for _, l := range lists {
			b, _ := os.ReadFile(l) // a thread that has ended has none
			for _, f := range strings.Fields(string(b)) {
				if n, err := strconv.Atoi(f); err == nil {
					all = append(all, n)
				}
			}
		}
	}
	return all
}

// cpu is what a process and its living children have used of the CPU, user and system, as the operating system counts it.
func cpu(pid int) (total time.Duration, err error) {
	for _, p := range family(pid) {
		var t unix.Timespec
		if err := unix.ClockGettime(int32(^p<<3|2), &t); err != nil { // clock_getcpuclockid(3)
			return 0, fmt.Errorf("read what process %d has used: %w", p, err)
		}
		total += time.Duration(t.Nano())
	}
	return total, nil
}

// memory is what a process and its children hold, in bytes.
type memory struct {
	rss, pss, anonymous float64
	kernel              float64 // by which the kernel's own has grown: of this machine, and so of both ends
}

// slabs is what the kernel holds for itself in small pieces, as sockets are, in bytes.
func slabs() (float64, error) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("read what the kernel holds: %w", err)
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "Slab:"); ok {
			var n float64
			_, err := fmt.Sscan(value, &n)
			return n * 1024, err
		}
	}
	return 0, errors.New("/proc/meminfo has no Slab")
}

func held(pid int) (m memory, err error) {
	for _, p := range family(pid) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
		if err != nil {
			return m, fmt.Errorf("read what process %d holds: %w", p, err)
		}
		for line := range strings.Lines(string(b)) {
			var n float64
			name, value, _ := strings.Cut(line, ":")
			fmt.Sscan(value, &n) // the first line has none
			switch name {
			case "Rss":
				m.rss += n * 1024
			case "Pss":
				m.pss += n * 1024
			case "Pss_Anon":
				m.anonymous += n * 1024
			}
		}
	}
	return m, nil
}
