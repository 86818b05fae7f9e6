package testbed

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// In a network of IPv6 only a host reaches what has an IPv4 address alone, by the resolver that the router tells of.
func TestOnlyIPv6(t *testing.T) {
	clk := clock.New(1)
	b, err := OpenNetwork(clk, evidence.NewLog(clk.Now, nil, false), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	undo, err := b.OnlyIPv6(netip.MustParsePrefix("2001:db8:64::/64"))
	if err != nil {
		t.Fatal(err)
	}
	defer undo()
	h, _, err := b.World.Home().BareHost("guest")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SLAAC(nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for len(h.AutoDNS()) == 0 || !reaches(ctx, h, netip.AddrPortFrom(h.AutoDNS()[0], 53)) { // until it has an address and a route
		if err := clk.Sleep(ctx, 10*time.Millisecond); err != nil {
			t.Fatal("it does not reach a resolver")
		}
	}
	for _, network := range []string{"udp", "tcp"} {
		names := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return h.DialContext(ctx, network, netip.AddrPortFrom(h.AutoDNS()[0], 53).String())
		}}
		got, err := names.LookupNetIP(ctx, "ip6", Meeting)
		if err != nil || len(got) != 1 {
			t.Fatalf("over %s %s is %v, %v", network, Meeting, got, err)
		}
		c, err := h.DialContext(ctx, "tcp", netip.AddrPortFrom(got[0], 80).String())
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	undo()
	if p := b.World.Home().Router.Prefix(); p.IsValid() {
		t.Errorf("after the undo the prefix is %s", p)
	}
	if a, ok := b.World.Home().Router.Advertises(); ok && slices.Contains(a.DNS, netip.MustParseAddr("2001:db8:64::1")) {
		t.Error("after the undo its resolver is still told of")
	}
}

func reaches(ctx context.Context, h *internet.Host, at netip.AddrPort) bool {
	c, err := h.DialContext(ctx, "tcp", at.String())
	if err == nil {
		c.Close()
	}
	return err == nil
}
