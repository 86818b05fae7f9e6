package testbed

import (
	"net/netip"
	"sync"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/dhcp"
	"github.com/shakedown-test/shakedown/world/dns"
)

// heuristicName is the name by which hosts find the prefix of a NAT64 (RFC 7050).
const heuristicName = "ipv4only.arpa"

// OnlyIPv6 makes the home network one of IPv6 only, with a prefix of 64 bits: no DHCP server answers, IPv4 leads nowhere, and what has an
// IPv4 address alone is reached by NAT64 and DNS64. Undo makes it one of IPv4 only again, and says so. Stations that were given an IPv4
// address otherwise keep it.
func (b *Bed) OnlyIPv6(prefix netip.Prefix) (undo func(), err error) {
	home := b.World.Home()
	if err := b.World.Delegate(home, prefix); err != nil {
		return nil, err
	}
	undos := []func(){
		b.DHCP.Set(func(l *dhcp.Leases) { l.Silent = dhcp.Everything }),
		b.DNS.Zone.Set(heuristicName, dns.Records{TTL: NameTTL, A: []netip.Addr{netip.MustParseAddr("192.0.0.170"), netip.MustParseAddr("192.0.0.171")}}),
		b.DNS.Do(dns.DNS64(dns.NAT64)),
		home.Router.NAT64(),
		home.Router.Without4(),
	}
	return b.Impair(sync.OnceFunc(func() {
		for _, u := range undos {
			u()
		}
		home.Router.Advertise(&internet.Advertisement{Prefix: prefix}) // all of it is withdrawn
		_ = b.World.Delegate(home, netip.Prefix{})                     // what cannot be taken away goes with the world
	})), nil
}
