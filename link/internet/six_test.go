package internet

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"syscall"
	"testing"
	"time"
)

var (
	home6   = netip.MustParsePrefix("2001:db8:1::/64")
	other6  = netip.MustParsePrefix("2001:db8:2::/64")
	server6 = netip.MustParseAddrPort("[2001:db8:ffff::7]:7")
)

// await waits until f holds.
func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	for range 500 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// open6 is a world with IPv6 and a host that configured itself.
func open6(t *testing.T) (*World, *Host) {
	w := open(t)
	if err := w.Serve(server6.Addr()); err != nil {
		t.Fatal(err)
	}
	serveEchoAt(t, w, server6)
	if err := w.Delegate(w.Home(), home6); err != nil {
		t.Fatal(err)
	}
	h, _, err := w.Home().BareHost("device")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SLAAC(nil); err != nil {
		t.Fatal(err)
	}
	await(t, "an address", func() bool {
		return len(h.Auto()) == 1 && home6.Contains(h.Auto()[0].Addr()) && len(h.auto.routers()) == 1
	})
	await(t, "a resolver", func() bool { return len(h.AutoDNS()) == 1 })
	return w, h
}

func reaches(t *testing.T, h *Host, at netip.AddrPort, within time.Duration) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	c, err := h.DialContext(ctx, "tcp", at.String())
	if err != nil {
		t.Logf("%s: %v", at, err)
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(within))
	io.WriteString(c, "x")
	_, err = io.ReadFull(c, make([]byte, 1))
	return err == nil
}

func TestSLAAC(t *testing.T) {
	t.Parallel()
	w, h := open6(t)
	await(t, "a server", func() bool { return reaches(t, h, server6, 5*time.Second) })
	if err := w.Delegate(w.Home(), other6); err != nil {
		t.Fatal(err)
	}
	await(t, "an address of the new prefix", func() bool {
		for _, p := range h.Auto() {
			if other6.Contains(p.Addr()) {
				return true
			}
		}
		return false
	})
	undo := w.Home().Router.Advertise(&Advertisement{Prefix: home6})
	await(t, "the router gone", func() bool { return len(h.auto.routers()) == 0 })
	await(t, "the old address deprecated", func() bool { return len(h.Auto()) == 1 })
	await(t, "without a router nothing is reached", func() bool { return !reaches2(h, server6) })
	undo()
	await(t, "the router back", func() bool { return len(h.auto.routers()) == 1 })
	await(t, "a server, from the new prefix", func() bool { return reaches(t, h, server6, 5*time.Second) })
}

func reaches2(h *Host, at netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	c, err := h.DialContext(ctx, "tcp", at.String())
	if err == nil {
		c.Close()
	}
	return err == nil
}

func TestFirewall(t *testing.T) {
	t.Parallel()
	w, h := open6(t)
	at := netip.AddrPortFrom(h.Auto()[0].Addr(), 80)
	l, err := h.Listen(netip.AddrPortFrom(at.Addr(), 80))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if reaches2(w.Servers, at) {
		t.Error("the firewall lets everybody in")
	}
	undo := w.Home().Router.Firewall(true)
	await(t, "a way through an open firewall", func() bool { return reaches2(w.Servers, at) })
	undo()
	if reaches2(w.Servers, at) {
		t.Error("the firewall stays open")
	}
}

// A router that is asked whether it is still there says that it is one.
func TestStaysRouter(t *testing.T) {
	t.Parallel()
	w := open(t)
	if err := w.Delegate(w.Home(), home6); err != nil {
		t.Fatal(err)
	}
	own := [6]byte{2, 0, 0, 0, 0, 9}
	answers := make(chan []byte, 8)
	l := w.Home().Station("device")
	l.Near(func(f []byte) {
		if len(f) >= 78 && f[20] == byte(ICMPv6) && f[54] == neighbourAdvert {
			answers <- f
		}
	})
	local := netip.MustParseAddr("fe80::9")
	target := routerLocal.As16()
	l.SendUp(frame6([6]byte{0x33, 0x33, 0xff, 0, 0, 1}, own, local, netip.MustParseAddr("ff02::1:ff00:1"),
		slices.Concat([]byte{neighbourSolicit, 0, 0, 0, 0, 0, 0, 0}, target[:], []byte{1, 1}, own[:])))
	select {
	case f := <-answers:
		if f[58]&0xc0 != 0xc0 {
			t.Errorf("its advertisement has the flags %08b, want those of a router that was asked", f[58])
		}
		if sum := checksum6(routerLocal, local, ICMPv6, f[54:]); sum != 0 {
			t.Errorf("its checksum is off by %#x", sum)
		}
	case <-time.After(5 * time.Second):
		t.Error("it does not answer")
	}
}

// Without internet a router tells so over IPv6 too, and lets nobody in.
func TestCutOff6(t *testing.T) {
	w, h := open6(t)
	at := netip.AddrPortFrom(h.Auto()[0].Addr(), 80)
	l, err := h.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	defer w.Home().Router.Firewall(true)()
	await(t, "a server", func() bool { return reaches(t, h, server6, 5*time.Second) })
	undo := w.Home().Router.CutOff()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := h.DialContext(ctx, "tcp", server6.String()); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("without internet: %v", err)
	}
	if reaches2(w.Servers, at) {
		t.Error("without internet somebody gets in")
	}
	undo()
	if !reaches(t, h, server6, 5*time.Second) || !reaches2(w.Servers, at) {
		t.Error("after the undo there is no internet")
	}
}

func TestNAT64(t *testing.T) {
	t.Parallel()
	w, h := open6(t)
	at := serveEcho(t, w, "echo.example")
	defer w.Home().Router.NAT64()()
	defer w.Home().Router.Without4()()
	base := nat64Prefix.Addr().As16()
	v4 := at.Addr().As4()
	copy(base[12:], v4[:])
	await(t, "a server of IPv4", func() bool {
		return reaches(t, h, netip.AddrPortFrom(netip.AddrFrom16(base), at.Port()), 5*time.Second)
	})
	refused := netip.AddrPortFrom(netip.AddrFrom16(base), 9)
	if _, err := h.DialContext(t.Context(), "tcp", refused.String()); err == nil {
		t.Error("a closed port is open")
	}
}

// An error that comes back while the stack sends what it is about must not lock it up.
func TestCutOffWhileConnecting(t *testing.T) {
	t.Parallel()
	w := open(t)
	at := serveEcho(t, w, "echo.example")
	h, _ := join(t, w, "device")
	if !reaches(t, h, at, 5*time.Second) {
		t.Fatal("it does not reach a server")
	}
	undo := w.Home().Router.CutOff()
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := h.DialContext(ctx, "tcp", at.String())
		cancel()
		if !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("without internet: %v", err)
		}
	}
	undo()
	if !reaches(t, h, at, 5*time.Second) {
		t.Error("after the undo it does not reach a server")
	}
}

func TestRenumber(t *testing.T) {
	t.Parallel()
	w := open(t)
	at := serveEcho(t, w, "echo.example")
	h, _ := join(t, w, "device")
	if !reaches(t, h, at, 5*time.Second) {
		t.Fatal("it does not reach a server")
	}
	undo, err := w.Renumber(w.Home(), netip.MustParsePrefix("10.7.7.1/24"))
	if err != nil {
		t.Fatal(err)
	}
	if reaches2(h, at) {
		t.Error("an address of the old network is served")
	}
	h2, _ := join(t, w, "another")
	if !reaches(t, h2, at, 5*time.Second) {
		t.Error("an address of the new network is not served")
	}
	undo()
	if !reaches(t, h, at, 5*time.Second) {
		t.Error("after the undo the old network is not served")
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	w := open(t)
	h, _ := join(t, w, "one")
	bare, _, err := w.Home().BareHost("two")
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := bare.Probe(t.Context(), h.Addresses()[0].Addr()); err != nil || !taken {
		t.Errorf("an address that is taken: %t, %v", taken, err)
	}
	if taken, err := bare.Probe(t.Context(), netip.MustParseAddr("192.168.1.200")); err != nil || taken {
		t.Errorf("a free address: %t, %v", taken, err)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	w := open(t)
	at := serveEcho(t, w, "echo.example")
	h, _ := join(t, w, "device")
	c := dial(t, h, at)
	ping(t, c)
	undo := w.Home().Router.Replace([6]byte{0x02, 9, 9, 9, 9, 9})
	w.Home().Router.Announce()
	h2, _ := join(t, w, "another")
	if !reaches(t, h2, at, 5*time.Second) {
		t.Error("the new Ethernet address is not served")
	}
	undo()
	if !reaches(t, h, at, 5*time.Second) {
		t.Error("after the undo the old one is not served")
	}
}
