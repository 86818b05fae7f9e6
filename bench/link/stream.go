package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/world/clock"
)

// stream measures a relay whose near side is a link.Stream against one that only copies, and what a connection costs.
func stream() ([]figure, error) {
	const bytes = 1 << 30
	var plain, linked []float64
	for range 3 { // in turns, as the machine is not always equally fast
		for _, r := range []struct {
			with bool
			to   *[]float64
		}{{false, &plain}, {true, &linked}} {
			speed, err := relayed(r.with, bytes)
			if err != nil {
				return nil, err
			}
			*r.to = append(*r.to, speed)
		}
	}
	best := func(of []float64) (v float64) {
		for _, f := range of {
			v = max(v, f)
		}
		return v
	}
	per, err := perConnection()
	if err != nil {
		return nil, err
	}
	return []figure{
		{"relay that only copies (splice)", best(plain), "MiB/s", 0, false, "loopback, best of 3"},
		{"relay with a link.Stream", best(linked), "MiB/s", 0, false, ""},
		{"ratio of the two", best(linked) / best(plain), "", 0.8, false, ""},
		{"memory of a connection of a link.Stream", per / 1000, "kB", 15, true, "heap and stacks, after a message each way"},
	}, nil
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// relayed is how fast bytes come through a relay, in MiB/s.
func relayed(linked bool, bytes int64) (float64, error) {
	sink, err := listen()
	if err != nil {
		return 0, err
	}
	defer sink.Close()
	got := make(chan int64, 1)
	go func() {
		c, err := sink.Accept()
		if err != nil {
			got <- 0
			return
		}
		defer c.Close()
		buf, n := make([]byte, 256<<10), int64(0)
		for {
			m, err := c.Read(buf)
			if n += int64(m); err != nil {
				got <- n
				return
			}
		}
	}()
	accept, addr, closes, err := near(linked)
	if err != nil {
		return 0, err
	}
	defer closes()
	go func() {
		in, err := accept()
		if err != nil {
			return
		}
		defer in.Close()
		out, err := net.Dial("tcp", sink.Addr().String())
		if err != nil {
			return
		}
		defer out.Close()
		_, _ = io.Copy(out, in)
	}()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	chunk := make([]byte, 256<<10)
	for sent := int64(0); sent < bytes; sent += int64(len(chunk)) {
		if _, err := c.Write(chunk); err != nil {
			return 0, err
		}
	}
	c.Close()
	if n := <-got; n != bytes {
		return 0, fmt.Errorf("%d of %d bytes came through the relay", n, bytes)
	}
	return float64(bytes) / (1 << 20) / time.Since(start).Seconds(), nil
}

// near is the near side of a relay.
func near(linked bool) (accept func() (net.Conn, error), addr string, closes func() error, err error) {
	if !linked {
		l, err := listen()
		if err != nil {
			return nil, "", nil, err
		}
		return l.Accept, l.Addr().String(), l.Close, nil
	}
	clk := clock.New(1)
	s, err := link.NewStream("bench", listen, clk, evidence.NewLog(clk.Now, nil, false))
	if err != nil {
		return nil, "", nil, err
	}
	return func() (net.Conn, error) { return s.Accept() }, s.Addr().String(), s.Close, nil
}

// perConnection is how many bytes of memory a connection of a link.Stream takes.
func perConnection() (float64, error) {
	clk := clock.New(1)
	const streams, each = 4, 200
	var closers []io.Closer
	defer func() {
		for _, c := range closers {
			c.Close()
		}
	}()
	dial := func(addr string) (net.Conn, error) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			closers = append(closers, c)
		}
		return c, err
	}
	never, err := listen() // its connections have only the dialling side in this process
	if err != nil {
		return 0, err
	}
	closers = append(closers, never)
	before := memory()
	for range each {
		if _, err := dial(never.Addr().String()); err != nil {
			return 0, err
		}
	}
	dialled := (memory() - before) / each

	var all []*link.Stream
	for range streams {
		s, err := link.NewStream("bench", listen, clk, evidence.NewLog(clk.Now, nil, false))
		if err != nil {
			return 0, err
		}
		closers = append(closers, s)
		all = append(all, s)
	}
	before = memory()
	var failed error
	for _, s := range all {
		for range each {
			c, err := dial(s.Addr().String())
			if err != nil {
				return 0, err
			}
			in, err := s.Accept()
			if err != nil {
				return 0, err
			}
			message := make([]byte, 1000)
			_, err1 := c.Write(message)
			_, err2 := io.ReadFull(in, message)
			_, err3 := in.Write(message)
			_, err4 := io.ReadFull(c, message)
			failed = errors.Join(failed, err1, err2, err3, err4)
			closers = append(closers, in)
		}
	}
	return (memory()-before)/(streams*each) - dialled, failed
}

// memory is what the heap and the stacks have in use, in bytes.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}
