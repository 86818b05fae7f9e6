package internet

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// Multicast goes to every station of its network that joined, to the router itself, and no further.
func TestMulticastStaysInTheNetwork(t *testing.T) {
	w := open(t, Network{Name: "carrier", Prefix: netip.MustParsePrefix("100.64.0.1/10")}, Network{Name: "home", Behind: "carrier"})
	group := netip.MustParseAddrPort("239.255.255.250:1900")
	listen := func(h *Host) net.PacketConn {
		t.Helper()
		c, err := h.ListenMulticast(group, 4)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	home := w.Segment("home")
	a, _, err := home.Host("a")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := home.Host("b")
	if err != nil {
		t.Fatal(err)
	}
	sender, station, router := listen(a), listen(b), listen(home.Router.Host)
	beyond, outside := listen(w.Segment("carrier").Router.Host), listen(w.Servers)

	var ttl []byte // of each frame that a bystander sees
	seen := make(chan struct{}, 8)
	l := home.Station("bystander")
	l.Near(func(f []byte) { ttl = append(ttl, f[22]); seen <- struct{}{} })

	if _, err := sender.WriteTo([]byte("who"), net.UDPAddrFromAddrPort(group)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 16)
	for _, c := range []net.PacketConn{station, router} {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, from, err := c.ReadFrom(buf)
		if err != nil || string(buf[:n]) != "who" {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
		if _, err := c.WriteTo([]byte("me"), from); err != nil {
			t.Error(err)
		}
		sender.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, _, err := sender.ReadFrom(buf); err != nil || string(buf[:n]) != "me" {
			t.Errorf("answer %q, %v", buf[:n], err)
		}
	}
	<-seen
	if ttl[0] != 4 {
		t.Errorf("IP TTL %d, want 4", ttl[0])
	}
	for _, c := range []net.PacketConn{beyond, outside, sender} {
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, from, err := c.ReadFrom(buf); err == nil {
			t.Errorf("%q of %s went too far", buf[:n], from)
		}
	}
	if _, err := router.WriteTo([]byte("I am here"), net.UDPAddrFromAddrPort(group)); err != nil {
		t.Fatal(err)
	}
	sender.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, _, err := sender.ReadFrom(buf); err != nil || string(buf[:n]) != "I am here" {
		t.Errorf("announcement of the router: %q, %v", buf[:n], err)
	}
}
