package internet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"
)

// beyond is an internet at large that is on this machine's loopback: an echo, whatever the address.
type beyond struct {
	tcp net.Listener
	udp net.PacketConn

	mu    sync.Mutex
	asked []string
}

func newBeyond(t *testing.T) *beyond {
	t.Helper()
	o := &beyond{}
	var err error
	if o.tcp, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if o.udp, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			c, err := o.tcp.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	tasks.Go(func() {
		for b := make([]byte, 2000); ; {
			n, from, err := o.udp.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = o.udp.WriteTo(b[:n], from)
		}
	})
	t.Cleanup(func() {
		o.tcp.Close()
		o.udp.Close()
		tasks.Wait()
	})
	return o
}

// dial leads to the loopback, and to nowhere else.
func (o *beyond) dial(ctx context.Context, network, address string) (net.Conn, error) {
	o.mu.Lock()
	o.asked = append(o.asked, network+" "+address)
	o.mu.Unlock()
	var d net.Dialer
	switch {
	case address == "9.9.9.9:1":
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case network == "udp4":
		return d.DialContext(ctx, network, o.udp.LocalAddr().String())
	}
	return d.DialContext(ctx, network, o.tcp.Addr().String())
}

func (o *beyond) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.asked...)
}

func TestUplinkCarries(t *testing.T) {
	w, o := open(t), newBeyond(t)
	inside := serveEcho(t, w, "echo.example")
	undo, err := w.Connect(Uplink{Dial: o.dial, Near: []netip.Prefix{netip.MustParsePrefix("9.9.0.0/24")}})
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range [][2]string{{"tcp", "9.9.9.9:443"}, {"udp", "9.9.9.9:53"}, {"tcp", inside.String()}} {
		c, err := h.DialContext(t.Context(), to[0], to[1])
		if err != nil {
			t.Fatal(to, err)
		}
		defer c.Close()
		if got := say(t, c, "hello"); got != "hello" {
			t.Errorf("%s: %q", to, got)
		}
	}
	if got := o.all(); len(got) != 2 || got[0] != "tcp4 9.9.9.9:443" || got[1] != "udp4 9.9.9.9:53" {
		t.Errorf("dialled %v", got)
	}
	if _, err := h.DialContext(t.Context(), "tcp", "9.9.9.9:1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("what is refused outside: %v", err)
	}
	c, err := h.DialContext(t.Context(), "tcp", "9.9.9.9:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "to the end")
	c.(interface{ CloseWrite() error }).CloseWrite()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if b, err := io.ReadAll(c); err != nil || string(b) != "to the end" {
		t.Errorf("read %q, %v", b, err)
	}

	before := len(o.all())
	for _, closed := range []string{"10.1.2.3:80", "172.16.0.1:80", "100.64.0.1:80", "198.18.0.1:80", "9.9.0.7:80", "203.0.113.250:80"} {
		if _, err := h.DialContext(t.Context(), "tcp", closed); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", closed, err)
		}
	}
	if now := o.all(); len(now) != before {
		t.Errorf("dialled %v", now[before:])
	}

	c, err = h.DialContext(t.Context(), "tcp", "9.9.9.9:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	undo()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, "x")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a connection lives on without an uplink")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := h.DialContext(ctx, "tcp", "9.9.9.9:443"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without an uplink: %v", err)
	}
}

func TestUplinkIsBounded(t *testing.T) {
	w, o := open(t), newBeyond(t)
	if _, err := w.Connect(Uplink{Dial: o.dial, Flows: 2, Idle: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	h, _, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c, err := h.DialContext(t.Context(), "tcp", "9.9.9.9:443")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if _, err := h.DialContext(t.Context(), "tcp", "9.9.9.9:443"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("one too many: %v", err)
	}
	for range 100 { // those that are idle end
		if c, err := h.DialContext(t.Context(), "tcp", "9.9.9.9:443"); err == nil {
			c.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("idle connections do not end")
}

func TestClosed(t *testing.T) {
	for addr, closed := range map[string]bool{
		"9.9.9.9": false, "8.8.8.8": true, "172.15.255.255": false, "192.169.0.1": false, "223.255.255.254": false, "100.63.255.255": false, "11.22.33.44": false,
		"127.0.0.1": true, "127.9.9.9": true, "10.0.0.1": true, "192.168.0.1": true, "172.31.255.255": true, "169.254.169.254": true, "224.0.0.251": true,
		"239.255.255.250": true, "255.255.255.255": true, "0.0.0.0": true, "0.1.2.3": true, "100.64.0.1": true, "100.127.255.255": true,
		"198.19.255.255": true, "240.0.0.1": true, "192.0.2.1": true, "::1": true, "fe80::1": true, "2606:4700::1": true, "::ffff:9.9.9.9": true,
	} {
		if why := (Uplink{Near: []netip.Prefix{netip.MustParsePrefix("8.8.0.0/16")}}).Closed(netip.MustParseAddr(addr)); (why != "") != closed {
			t.Errorf("%s: %q", addr, why)
		}
	}
}
