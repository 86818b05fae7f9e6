package join

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"
)

func TestReaddress(t *testing.T) {
	needsNamespaces(t)
	_, place := world(t)
	place.Addresses = []netip.Prefix{netip.MustParsePrefix("192.168.1.50/24")}
	cmd, p, r := enter(t, place, `while :; do
		echo $(grep -B1 "32 host" /proc/net/fib_trie | grep -o "192[0-9.]*" | sort -u) by $(cut -f3 /proc/net/route | grep "A8C0$") asks $(cat /etc/resolv.conf)
		sleep 0.02
	done`)
	lines := bufio.NewScanner(r)
	shows := func(want string) {
		t.Helper()
		for range 100 {
			if lines.Scan() && lines.Text() == want {
				return
			}
		}
		t.Fatalf("it shows %q at last, want %q", lines.Text(), want)
	}
	shows("192.168.1.50 by 0101A8C0 asks nameserver 192.168.1.1")

	for _, now := range []string{"192.168.1.51", "192.168.1.52", "192.168.1.52"} { // the last is the same again
		place.Addresses = []netip.Prefix{netip.MustParsePrefix(now + "/24")}
		place.Resolvers = []netip.Addr{netip.MustParseAddr("203.0.113.2")}
		if err := p.Readdress(place); err != nil {
			t.Fatal(err)
		}
		shows(now + " by 0101A8C0 asks nameserver 203.0.113.2")
	}
	place.Addresses, place.Routers = []netip.Prefix{netip.MustParsePrefix("192.168.77.3/24")}, []netip.Addr{netip.MustParseAddr("192.168.77.1")}
	if err := p.Readdress(place); err != nil {
		t.Fatal(err)
	}
	shows("192.168.77.3 by 014DA8C0 asks nameserver 203.0.113.2")

	place.Routers = []netip.Addr{netip.MustParseAddr("192.168.88.1")} // where no address of it leads
	if err := p.Readdress(place); err == nil || !strings.Contains(err.Error(), "192.168.88.1") {
		t.Errorf("got %v, want an error that names the router", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := p.Readdress(place); err == nil {
		t.Error("a program that ended was given an address")
	}
}

// How a program ended is told also when its end came into the way of an order.
func TestReaddressOfOneThatEnds(t *testing.T) {
	needsNamespaces(t)
	_, place := world(t)
	cmd, p, _ := enter(t, place, "exit 3")
	_ = cmd.Wait()
	if err := p.Readdress(place); err == nil {
		t.Error("a program that ended was given an address")
	}
	if got := p.Status(); got != "exit status 3" {
		t.Errorf("status %q, want exit status 3", got)
	}
}
