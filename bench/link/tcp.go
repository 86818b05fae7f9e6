package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// tcp measures one flow from a host through its router, with address translation, to a server on the internet.
func tcp() ([]figure, error) {
	plain, err := flow(0, 512<<20)
	if err != nil {
		return nil, err
	}
	far, err := flow(20*time.Millisecond, 128<<20)
	if err != nil {
		return nil, err
	}
	return []figure{
		{"TCP through one router, nothing impaired", plain, "MiB/s", 120, false, "one flow, in process, NAT and checksums included"},
		{"TCP through one router, 20 ms one way", far, "MiB/s", 20, false, "one flow, slow start included"},
	}, nil
}

// flow is how fast so many bytes arrive, in MiB/s.
func flow(delay time.Duration, bytes int) (float64, error) {
	w, err := internet.Open(internet.Config{Clock: clock.New(1), Seed: 1})
	if err != nil {
		return 0, err
	}
	defer w.Close()
	at, err := w.Name("sink.example")
	if err != nil {
		return 0, err
	}
	to := netip.AddrPortFrom(at, 9)
	l, err := w.Servers.Listen(to)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	got := make(chan int64, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- 0
			return
		}
		n, _ := io.Copy(io.Discard, c)
		c.Close()
		got <- n
	}()
	h, access, err := w.Home().Host("device")
	if err != nil {
		return 0, err
	}
	if delay > 0 {
		access.Latency(frame.Both, frame.Latency{Delay: delay})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := h.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return 0, err
	}
	start := time.Now()
	chunk := make([]byte, 64<<10)
	for sent := 0; sent < bytes; sent += len(chunk) {
		if _, err := c.Write(chunk); err != nil {
			return 0, err
		}
	}
	c.Close()
	if n := <-got; n < int64(bytes) {
		return 0, fmt.Errorf("%d of %d bytes came", n, bytes)
	}
	return float64(bytes) / (1 << 20) / time.Since(start).Seconds(), nil
}
