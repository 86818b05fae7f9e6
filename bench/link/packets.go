package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// impaired is a link that does all at once what is common.
func impaired() *frame.Link {
	l := frame.New(frame.Options{Name: "bench", Clock: clock.New(1), Seed: 1})
	l.Latency(frame.Both, frame.Latency{Delay: 10 * time.Millisecond, Jitter: time.Millisecond})
	l.Loss(frame.Both, 0.01)
	l.Rate(frame.Both, frame.Rate{BitsPerSecond: 1e10, Queue: 1 << 24})
	return l
}

// packets measures how many frames one impaired link carries for each second of CPU.
func packets() ([]figure, error) {
	l := impaired()
	defer l.Close()
	var came atomic.Int64
	l.Far(func([]byte) { came.Add(1) })
	cpu, start := cpuTime(), time.Now()
	for n := 0; time.Since(start) < 2*time.Second; n++ {
		l.SendUp(make([]byte, 200))
		if n%64 == 0 {
			runtime.Gosched()
		}
	}
	time.Sleep(30 * time.Millisecond)
	used := cpuTime() - cpu
	return []figure{{
		"frames of 200 bytes through one impaired link", float64(came.Load()) / used.Seconds(), "/s and core", 100_000, false,
		"latency, jitter, loss and rate; in process, with making the frames",
	}}, nil
}
