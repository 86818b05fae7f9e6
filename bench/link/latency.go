package main

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

const asked = 50 * time.Millisecond

// latency measures how exact 50 ms are for frames that are sent one after the other, and for many links at once.
func latency() ([]figure, error) {
	errors := make(chan time.Duration, 1)
	l := frame.New(frame.Options{Name: "bench", Clock: clock.New(1)})
	defer l.Close()
	start := time.Now()
	l.Far(func(f []byte) { errors <- time.Since(start) - time.Duration(binary.BigEndian.Uint64(f[14:])) - asked })
	l.Latency(frame.Up, frame.Latency{Delay: asked})
	var offs []time.Duration
	send := func() {
		f := make([]byte, 64)
		binary.BigEndian.PutUint64(f[14:], uint64(time.Since(start)))
		l.SendUp(f)
	}
	const n = 1000
	go func() {
		for range n { // at times that have nothing to do with the clock's
			send()
			time.Sleep(3*time.Millisecond + 217*time.Microsecond)
		}
	}()
	for range n {
		offs = append(offs, (<-errors).Abs())
	}
	slices.Sort(offs)
	busy, used := hundreds()
	return []figure{
		{"added latency of 50 ms, off by, p50", percentile(offs, 0.5), "ms", 0.3, true, fmt.Sprintf("%d frames, in process", n)},
		{"added latency of 50 ms, off by, p99", percentile(offs, 0.99), "ms", 2, true, ""},
		{"the same, 300 links with 20 frames/s each, p50", percentile(busy, 0.5), "ms", 0.3, true, ""},
		{"the same, p99", percentile(busy, 0.99), "ms", 2, true, ""},
		{"CPU used by these 300 links", used, "cores", 0.5, true, ""},
	}, nil
}

// hundreds is how exact 300 links are that carry a little each, and how much of the CPU they use.
func hundreds() (offs []time.Duration, cores float64) {
	const links, each = 300, 40
	all := make(chan time.Duration, links*each)
	start, cpu := time.Now(), cpuTime()
	var open []*frame.Link
	for range links {
		l := frame.New(frame.Options{Name: "bench", Clock: clock.New(1)})
		open = append(open, l)
		l.Far(func(f []byte) { all <- time.Since(start) - time.Duration(binary.BigEndian.Uint64(f[14:])) - asked })
		l.Latency(frame.Up, frame.Latency{Delay: asked})
	}
	for range each {
		for i, l := range open {
			f := make([]byte, 64)
			binary.BigEndian.PutUint64(f[14:], uint64(time.Since(start)))
			l.SendUp(f)
			if i%6 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	}
	for range links * each {
		offs = append(offs, (<-all).Abs())
	}
	cores = float64(cpuTime()-cpu) / float64(time.Since(start))
	for _, l := range open {
		l.Close()
	}
	slices.Sort(offs)
	return offs, cores
}
