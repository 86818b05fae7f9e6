package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/world/clock"
)

// rounds is how often each relay of stream carries its bytes each way. Many short turns let what else runs on the machine meet both alike.
const rounds, bytesOfTurn = 32, 128 << 20

// stream measures a relay whose near side is a link.Stream against one that only copies, and what a connection costs. The two take turns,
// first one and then the other, and each round gives a ratio of its own.
func stream() (all []figure, err error) {
	for _, way := range []struct {
		name string
		down bool
	}{{"from the part", false}, {"to the part", true}} {
		figures, err := compare(way.name, way.down)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	per, err := perConnection()
	if err != nil {
		return nil, err
	}
	return append(all, figure{"memory of a connection of a link.Stream", per / 1000, "kB", 15, true, "heap and stacks, after a message each way"}), nil
}

func compare(way string, down bool) ([]figure, error) {
	var speed, cpu [2][]float64 // without a link.Stream, and with one
	var faster, cheaper []float64
	for round := range rounds + 1 {
		var fast, used [2]float64
		for turn := range 2 {
			i := (turn + round) % 2
			var err error
			if fast[i], used[i], err = relayed(i == 1, down, bytesOfTurn); err != nil {
				return nil, err
			}
		}
		if round == 0 { // to warm up
			continue
		}
		for i := range 2 {
			speed[i], cpu[i] = append(speed[i], fast[i]), append(cpu[i], used[i])
		}
		faster, cheaper = append(faster, fast[1]/fast[0]), append(cheaper, used[0]/used[1])
	}
	line := func(name string, all []float64, unit string, bar float64) figure {
		slices.Sort(all)
		note := fmt.Sprintf("median of %d, half of them %.3g to %.3g", rounds, all[rounds/4], all[rounds*3/4])
		return figure{name, all[rounds/2], unit, bar, false, note}
	}
	return []figure{
		line("relay that only copies (splice), "+way, speed[0], "MiB/s", 0),
		line("relay with a link.Stream", speed[1], "MiB/s", 0),
		line("ratio of the two", faster, "", 0.8),
		line("CPU of the relay that only copies, with both ends", cpu[0], "s/GiB", 0),
		line("CPU of the relay with a link.Stream, with both ends", cpu[1], "s/GiB", 0),
		line("ratio of bytes per CPU time", cheaper, "", 0.9),
	}, nil
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// relayed is how fast bytes come through a relay, in MiB/s, and what the process uses of the CPU for it, in s/GiB.
func relayed(linked, down bool, bytes int64) (speed, cpu float64, err error) {
	far, err := listen()
	if err != nil {
		return 0, 0, err
	}
	defer far.Close()
	accept, addr, closes, err := near(linked)
	if err != nil {
		return 0, 0, err
	}
	defer closes()
	go func() {
		in, err := accept()
		if err != nil {
			return
		}
		defer in.Close()
		out, err := net.Dial("tcp", far.Addr().String())
		if err != nil {
			return
		}
		defer out.Close()
		if down {
			in, out = out, in
		}
		_, _ = io.Copy(out, in)
	}()
	from, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, 0, err
	}
	defer from.Close()
	to, err := far.Accept()
	if err != nil {
		return 0, 0, err
	}
	defer to.Close()
	if down {
		from, to = to, from
	}
	start, used := time.Now(), cpuTime()
	go func() {
		chunk := make([]byte, 256<<10)
		for sent := int64(0); sent < bytes; sent += int64(len(chunk)) {
			if _, err := from.Write(chunk); err != nil {
				break
			}
		}
		from.Close()
	}()
	buf, got := make([]byte, 256<<10), int64(0)
	for err == nil {
		var n int
		n, err = to.Read(buf)
		got += int64(n)
	}
	if got != bytes {
		return 0, 0, fmt.Errorf("%d of %d bytes came through the relay: %w", got, bytes, err)
	}
	speed = float64(bytes) / (1 << 20) / time.Since(start).Seconds()
	return speed, (cpuTime() - used).Seconds() / (float64(bytes) / (1 << 30)), nil
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
