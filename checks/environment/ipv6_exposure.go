package environment

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// IPv6Exposure gives the home network IPv6, and scans the global address that the device takes.
var IPv6Exposure = &check.Check{
	ID:    "environment.ipv6-exposure",
	Title: "Shows no service at its global IPv6 address but the declared ones",
	Why: "With IPv6 every device has an address of the internet, and one home router of several lets everybody in. " +
		"What hides behind NAT today is open to the world after the provider's next change.",
	Pass:         "of the TCP ports 1 to 1023 and 70 others none is open at its global IPv6 address that the product file does not declare (local.open, local.upnp.ports)",
	Fix:          "bind services to the addresses that they are for, or filter what does not come from the same prefix",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2j", "EN303645:5.6-1"},
	Rows:         []string{"net.ipv6.exposure"},
	Sources:      []string{"arxiv.org/abs/2509.04792", "RFC 6092"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        10 * time.Minute,
	Run:          ipv6Exposure,
}

// homePrefix and nextPrefix are IPv6 prefixes of a home network.
var (
	homePrefix = netip.MustParsePrefix("2001:db8:40::/64")
	nextPrefix = netip.MustParsePrefix("2001:db8:41::/64")
)

// takes is how long a station may take to make an address from a router advertisement, with duplicate address detection.
const takes = 10 * time.Second

func ipv6Exposure(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	globals := globalAddresses(t)
	t.Step("give its home network the IPv6 prefix %s", homePrefix)
	if err := delegate(t, homePrefix); err != nil {
		return err
	}
	scanner, _, err := t.World.Home().BareHost("scanner")
	if err != nil {
		return err
	}
	if err := scanner.SLAAC(nil); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, takes); err != nil {
		return err
	}
	own := scanner.Auto()
	if len(own) == 0 {
		return fmt.Errorf("the scanner has no IPv6 address: %w", check.NotRun("", "the router's advertisement was lost"))
	}
	scanner.PingAll(own[0].Addr())
	if err := t.Clock.Sleep(ctx, max(2*time.Second, lag(t))); err != nil {
		return err
	}
	targets := globals()
	if len(targets) == 0 {
		return check.NotApplicable("it takes no IPv6 address from a router's advertisement, or does not answer to it")
	}
	var open []uint16
	refused := 0
	for a, mac := range targets {
		t.Step("scan %s", a)
		s := &scan{host: scanner, from: netip.AddrPortFrom(own[0].Addr(), 40000), to: a, mac: mac}
		if err := s.run(ctx, t); err != nil {
			return err
		}
		here, closed := s.result()
		open, refused = append(open, here...), refused+closed
	}
	slices.Sort(open)
	t.Record("open: %v; %d ports said that they are closed", open, refused)
	t.Find(judgePorts(slices.Compact(open), declaredPorts(t.Device.Part), "at its global IPv6 address")...)
	return nil
}

// delegate gives the home network a prefix until the check ends.
func delegate(t *check.T, p netip.Prefix) error {
	home := t.World.Home()
	t.Undo(func() { _ = t.World.Delegate(home, netip.Prefix{}) }) // what cannot be taken away goes with the world
	return t.World.Delegate(home, p)
}

// globalAddresses looks at what the device sends, and tells its global IPv6 addresses and where they are; at most four.
func globalAddresses(t *check.T) func() map[netip.Addr][6]byte {
	var mu sync.Mutex
	all := map[netip.Addr][6]byte{}
	watch(t, func(f []byte) {
		if a, ok := source6(f); ok && homePrefix.Contains(a) {
			mu.Lock()
			defer mu.Unlock()
			if len(all) < 4 {
				all[a] = [6]byte(f[6:12])
			}
		}
	})
	return func() map[netip.Addr][6]byte {
		mu.Lock()
		defer mu.Unlock()
		copied := map[netip.Addr][6]byte{}
		for a, mac := range all {
			copied[a] = mac
		}
		return copied
	}
}
