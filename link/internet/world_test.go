package internet

import (
	"flag"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "16") // they wait more than they compute
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, networks ...Network) *World {
	t.Helper()
	w, err := Open(Config{Clock: clock.New(1), Seed: 1, Networks: networks})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// join is a host in the home network, with its link.
func join(t testing.TB, w *World, name string) (*Host, *frame.Link) {
	t.Helper()
	h, l, err := w.Segment("home").Host(name)
	if err != nil {
		t.Fatal(err)
	}
	return h, l
}

// dial is a TCP connection, closed at the end of the test.
func dial(t testing.TB, h *Host, at netip.AddrPort) net.Conn {
	t.Helper()
	c, err := h.DialContext(t.Context(), "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// serveEcho serves TCP on a named host and sends back what comes.
func serveEcho(t testing.TB, w *World, name string) netip.AddrPort {
	t.Helper()
	a, err := w.Name(name)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(a, 7)
	serveEchoAt(t, w, at)
	return at
}

func serveEchoAt(t testing.TB, w *World, at netip.AddrPort) {
	t.Helper()
	l, err := w.Servers.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	t.Cleanup(func() { l.Close() })
}

func TestEchoThroughNAT(t *testing.T) {
	for name, networks := range map[string][]Network{
		"one router": nil,
		"CGNAT":      {{Name: "carrier", Prefix: netip.MustParsePrefix("100.64.0.1/10")}, {Name: "home", Behind: "carrier"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, networks...)
			at := serveEcho(t, w, "echo.example")
			h, _ := join(t, w, "device")
			c := dial(t, h, at)
			c.SetDeadline(time.Now().Add(5 * time.Second))
			io.WriteString(c, "hello")
			b := make([]byte, 5)
			if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
				t.Errorf("read %q, %v", b, err)
			}
		})
	}
}

func TestRoundTripTime(t *testing.T) {
	w := open(t)
	at := serveEcho(t, w, "echo.example")
	h, access := join(t, w, "device")
	c := dial(t, h, at)
	defer access.Latency(frame.Both, frame.Latency{Delay: 25 * time.Millisecond})()
	best := time.Hour
	for range 5 {
		start := time.Now()
		ping(t, c)
		best = min(best, time.Since(start))
	}
	if best < 50*time.Millisecond || best > 80*time.Millisecond {
		t.Errorf("the best of five round trips of 50 ms took %s", best)
	}
}

func ping(t testing.TB, c net.Conn) {
	t.Helper()
	io.WriteString(c, "x")
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkThroughRouter(b *testing.B) {
	w := open(b)
	a, _ := w.Name("sink.example")
	l, err := w.Servers.Listen(netip.AddrPortFrom(a, 9))
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan int64)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, c)
		done <- n
	}()
	h, _, _ := w.Home().Host("device")
	c, err := h.DialContext(b.Context(), "tcp", netip.AddrPortFrom(a, 9).String())
	if err != nil {
		b.Fatal(err)
	}
	chunk := make([]byte, 64<<10)
	b.SetBytes(int64(len(chunk)))
	b.ResetTimer()
	for range b.N {
		if _, err := c.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
	c.Close()
	<-done
}

func BenchmarkOpenTenNetworks(b *testing.B) {
	var ten []Network
	for i := range 10 {
		ten = append(ten, Network{Name: string(rune('a' + i))})
	}
	for range b.N {
		w, err := Open(Config{Clock: clock.New(1), Networks: ten})
		if err != nil {
			b.Fatal(err)
		}
		w.Close()
	}
}
