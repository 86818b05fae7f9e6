package join

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// within has the test run again in a namespace of its own, where it may do what it likes with interfaces, and reports whether this is
// the run in there.
func within(t *testing.T) bool {
	t.Helper()
	if os.Getenv("JOIN_TEST_WITHIN") != "" {
		return true
	}
	needsNamespaces(t)
	_, place := world(t)
	out := prints(t, place, fmt.Sprintf("JOIN_TEST_WITHIN=1 %s -test.v -test.timeout=20s -test.run='^%s$'", os.Args[0], t.Name()))
	if !strings.Contains(out, "--- PASS: "+t.Name()) {
		t.Errorf("in its namespace:\n%s", out)
	}
	return false
}

// pair makes a cable with an interface at each end.
func pair(t *testing.T) {
	t.Helper()
	attributes := netlink.NewLinkAttrs()
	attributes.Name = "bench"
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attributes, PeerName: "device"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = netlink.LinkDel(&netlink.Veth{LinkAttrs: attributes}) })
}

func TestInterfaceJoins(t *testing.T) {
	if !within(t) {
		return
	}
	pair(t)
	w, _ := world(t)
	at := server(t, w, "hello from the world\n")
	leave, err := Interface("bench", w.Home().Station("bench"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := joined(t, "device").DialContext(t.Context(), "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := io.ReadAll(c); err != nil || string(got) != "hello from the world\n" {
		t.Errorf("%q, %v", got, err)
	}
	nic, err := netlink.LinkByName("bench")
	if err != nil || nic.Attrs().Promisc == 0 {
		t.Errorf("it hears only what is meant for this machine: %v", err)
	}
	leave()
	if nic, err = netlink.LinkByName("bench"); err != nil || nic.Attrs().Flags&net.FlagUp != 0 || nic.Attrs().Promisc != 0 {
		t.Errorf("it is not as it was: %v", err)
	}
	if v6, err := os.ReadFile("/proc/sys/net/ipv6/conf/bench/disable_ipv6"); err == nil && string(v6) != "0\n" {
		t.Errorf("disable_ipv6 is %q", v6)
	}
}

// joined is a host that speaks through the interface, at the other end of a cable between two links.
func joined(t *testing.T, name string) *internet.Host {
	t.Helper()
	here := frame.New(frame.Options{Name: "host", Clock: clock.New(1)})
	there := frame.New(frame.Options{Name: "interface", Clock: clock.New(1)})
	here.Far(there.SendDown)
	there.Far(here.SendDown)
	t.Cleanup(here.Close)
	t.Cleanup(there.Close)
	h, err := internet.NewHost(clock.New(1), here, net.HardwareAddr{2, 0, 0, 0, 0, 7}, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	if err := h.Add(netip.MustParsePrefix("192.168.1.77/24")); err != nil {
		t.Fatal(err)
	}
	h.Route(netip.MustParseAddr("192.168.1.1"))
	leave, err := Interface(name, there)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(leave)
	return h
}

func TestInterfaceThatIsInUse(t *testing.T) {
	if !within(t) {
		return
	}
	pair(t)
	w, _ := world(t)
	l := w.Home().Station("bench")
	nic, err := netlink.LinkByName("bench")
	if err != nil {
		t.Fatal(err)
	}
	address, err := netlink.ParseAddr("10.1.2.3/24")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrAdd(nic, address); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"eth0":    "carries this machine's default route",
		"bench":   "has the address 10.1.2.3/24 on it",
		"lo":      "loopback",
		"missing": "hint: this machine has [device]",
	} {
		if leave, err := Interface(name, l); err == nil {
			leave()
			t.Errorf("%s was joined", name)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "\nhint: ") {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
