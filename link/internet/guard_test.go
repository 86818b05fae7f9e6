package internet

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// say writes a word to c and returns what comes back.
func say(t *testing.T, c net.Conn, word string) string {
	t.Helper()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, word); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(word))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	w := open(t)
	at := serveEcho(t, w, "echo.example")
	h, access, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	before, err := h.DialContext(t.Context(), "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	say(t, before, "hello")

	var ruling atomic.Int64
	local := make(chan net.Addr, 1)
	undo, err := w.Guard(w.Home(), Guard{
		Name: "firewall",
		Rule: func(p Protocol, to netip.AddrPort) Ruling {
			if to.Port() == 80 {
				return Take
			}
			return Ruling(ruling.Load())
		},
		Serve: func(c net.Conn) {
			defer c.Close()
			local <- c.LocalAddr()
			io.WriteString(c, "taken")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer undo()
	say(t, before, "still")

	ruling.Store(int64(Refuse))
	if _, err := h.DialContext(t.Context(), "tcp", at.String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a connection that is refused: %v", err)
	}
	before.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(before, "cut")
	if _, err := before.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection that was open: %v", err)
	}
	u, err := h.DialContext(t.Context(), "udp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	prohibited := make(chan bool, 1)
	access.Watch(func(f []byte, way frame.Way) {
		if p, ok := parse(f); ok && way == frame.Down && p.proto == ICMP && p.body()[0] == 3 && p.body()[1] == 13 {
			prohibited <- true
		}
	})
	u.Write([]byte("x"))
	select {
	case <-prohibited:
	case <-time.After(5 * time.Second):
		t.Error("nothing tells of a datagram that is refused")
	}

	taken, err := h.DialContext(t.Context(), "tcp", "203.0.113.200:80") // nobody is there
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	taken.SetDeadline(time.Now().Add(5 * time.Second))
	if b, err := io.ReadAll(taken); err != nil || string(b) != "taken" {
		t.Errorf("read %q, %v", b, err)
	}
	if a := (<-local).String(); a != "203.0.113.200:80" {
		t.Errorf("it was meant for %s", a)
	}

	undo()
	undo()
	after, err := h.DialContext(t.Context(), "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	say(t, after, "hello")
}

// A client that is never heard of again does not hold up the end of a world.
func TestGuardEndsWithHalfOpenConnections(t *testing.T) {
	t.Parallel()
	w := open(t)
	h, access, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan bool, 1)
	_, err = w.Guard(w.Home(), Guard{
		Name: "firewall", Rule: func(Protocol, netip.AddrPort) Ruling { return Take },
		Serve: func(c net.Conn) {
			served <- true
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	open, err := h.DialContext(t.Context(), "tcp", "203.0.113.200:443")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	<-served
	n := 0
	access.Filter(frame.Up, "all but a first SYN", func([]byte) bool { n++; return n == 1 })
	go h.DialContext(t.Context(), "tcp", "203.0.113.200:444")
	time.Sleep(50 * time.Millisecond)
	start := time.Now()
	w.Close()
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("the end of the world took %s", took)
	}
}

// TestOnce: what a device can make up without end is not remembered without end.
func TestOnce(t *testing.T) {
	told := map[int]bool{}
	first := 0
	for i := range 3 * maxTold {
		if once(told, i) {
			first++
		}
	}
	if once(told, 1) || first != maxTold || len(told) != maxTold {
		t.Errorf("%d were new, %d are remembered, want %d", first, len(told), maxTold)
	}
}
