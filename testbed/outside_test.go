package testbed

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
)

// What the world does not have is outside, which here is on the loopback; nothing else is dialled or asked.
func TestConnect(t *testing.T) {
	outside, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	go func() {
		if c, err := outside.Accept(); err == nil {
			io.WriteString(c, "from outside")
			c.Close()
		}
	}()
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	defer log.Close()
	b, err := OpenNetwork(clk, log, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var dialled []string
	err = b.Connect(Outside{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, network+" "+address)
			return (&net.Dialer{}).DialContext(ctx, "tcp4", outside.Addr().String())
		},
		Look: func(_ context.Context, name string) ([]netip.Addr, error) {
			switch name {
			case "api.vendor.test":
				return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("9.9.9.9")}, nil
			case "printer.office.test":
				return []netip.Addr{netip.MustParseAddr("192.168.7.7")}, nil
			case "slow.test":
				return nil, errors.New("no answer")
			}
			return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h, _, err := b.World.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return h.DialContext(ctx, network[:3], netip.AddrPortFrom(b.DNS.Addrs()[0], 53).String())
	}}
	for name, want := range map[string]string{
		"api.vendor.test.": "9.9.9.9", Meeting + ".": "203.0.113.10", "printer.office.test.": "none", "nothing.test.": "none", "slow.test.": "failed",
	} {
		got := "failed"
		addrs, err := r.LookupNetIP(t.Context(), "ip4", name)
		var known *net.DNSError
		if err == nil {
			got = addrs[0].Unmap().String()
		} else if errors.As(err, &known) && known.IsNotFound {
			got = "none"
		}
		if got != want {
			t.Errorf("%s is %s (%v), want %s", name, got, err, want)
		}
	}
	c, err := h.DialContext(t.Context(), "tcp", "9.9.9.9:443")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if text, err := io.ReadAll(c); err != nil || string(text) != "from outside" {
		t.Errorf("read %q, %v", text, err)
	}
	if len(dialled) != 1 || dialled[0] != "tcp4 9.9.9.9:443" {
		t.Errorf("dialled %v", dialled)
	}
}
