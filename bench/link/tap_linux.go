package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/world/clock"
	"golang.org/x/sys/unix"
)

// This program sends datagrams when its arguments are: send, where to, how many (0: without end), bytes of each, microseconds between.
func init() {
	if len(os.Args) != 6 || os.Args[1] != "send" {
		return
	}
	if err := send(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "send:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func send(args []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i+1]); err != nil {
			return err
		}
	}
	c, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	b := make([]byte, n[1])
	for i := 0; n[0] == 0 || i < n[0]; i++ {
		binary.BigEndian.PutUint64(b, uint64(monotonic()))
		if _, err := c.Write(b); err != nil {
			return err
		}
		if n[2] > 0 {
			time.Sleep(time.Duration(n[2]) * time.Microsecond)
		}
	}
	return nil
}

// monotonic is a time that all processes of this machine share.
func monotonic() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// sender starts this program as the sender, at the near end of a link behind a TAP.
func sender(place join.Place, to string, number, bytes, gap int) (stop func(), err error) {
	if err := join.Available(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "send", to, strconv.Itoa(number), strconv.Itoa(bytes), strconv.Itoa(gap))
	cmd.Stderr = os.Stderr
	p, err := place.Prepare(cmd)
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		p.Close()
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		p.Close()
	}
	if err := p.Enter(); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// latencyTAP is latency for a program behind a TAP: from its system call, through the TAP, its link, a switch and a router, to a server.
func latencyTAP() ([]figure, error) {
	w, err := internet.Open(internet.Config{Clock: clock.New(1), Seed: 1})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	a, err := w.Name("server.example")
	if err != nil {
		return nil, err
	}
	at := netip.AddrPortFrom(a, 9)
	c, err := w.Servers.ListenPacket(at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	home := w.Home()
	place := join.Place{Link: home.Station("program"), Addresses: []netip.Prefix{home.Address()}, Routers: []netip.Addr{home.Router.LAN().Addr()}}
	place.Link.Latency(frame.Up, frame.Latency{Delay: asked})
	const n, first = 1000, 100 // the first ones wait until ARP has found the router
	stop, err := sender(place, at.String(), first+n, 64, 3217)
	if err != nil {
		return nil, err
	}
	defer stop()
	var offs []time.Duration
	b := make([]byte, 100)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	for i := range first + n {
		if _, _, err := c.ReadFrom(b); err != nil {
			break
		}
		if i < first {
			continue
		}
		offs = append(offs, (monotonic() - time.Duration(binary.BigEndian.Uint64(b)) - asked).Abs())
	}
	if len(offs) < n*9/10 {
		return nil, fmt.Errorf("%d of %d datagrams came", len(offs), n)
	}
	slices.Sort(offs)
	return []figure{
		{"the same through a TAP, off by, p50", percentile(offs, 0.5), "ms", 0.3, true, "system call to server, a router on the way"},
		{"the same through a TAP, off by, p99", percentile(offs, 0.99), "ms", 2, true, ""},
	}, nil
}

// packetsTAP is packets for frames that a program sends through a TAP.
func packetsTAP() ([]figure, error) {
	near := impaired()
	defer near.Close()
	far := frame.New(frame.Options{Name: "sink", Clock: clock.New(1)})
	defer far.Close()
	var came atomic.Int64
	far.Near(func([]byte) { came.Add(1) })
	var all internet.Backbone
	sink := netip.MustParseAddr("192.168.1.1")
	all.Attach(near, [6]byte{2, 0, 0, 0, 0, 9})
	all.Attach(far, [6]byte{2, 0, 0, 0, 0, 8}, netip.PrefixFrom(sink, 32))
	place := join.Place{Link: near, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 9}, Addresses: []netip.Prefix{netip.MustParsePrefix("192.168.1.10/24")}}
	stop, err := sender(place, netip.AddrPortFrom(sink, 9).String(), 0, 158, 0)
	if err != nil {
		return nil, err
	}
	defer stop()
	time.Sleep(200 * time.Millisecond)
	cpu, before, start := cpuTime(), came.Load(), time.Now()
	time.Sleep(2 * time.Second)
	number, used, took := came.Load()-before, cpuTime()-cpu, time.Since(start)
	return []figure{
		{"the same through a TAP", float64(number) / used.Seconds(), "/s and core", 100_000, false, "with reading the TAP, without the sender's own CPU"},
		{"and in all", float64(number) / took.Seconds(), "/s", 0, false, ""},
	}, nil
}
