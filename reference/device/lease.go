package device

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// lease is what a DHCP server gave, in device time since power-on.
type lease struct {
	addr   netip.Prefix
	server netip.Addr
	router netip.Addr // invalid: none
	routes map[netip.Prefix]netip.Addr
	dns    []netip.Addr
	ntp    []netip.Addr
	mtu    int

	since, renew, rebind, ends time.Duration // ends is never for one without an end
}

// usualMTU is that of Ethernet.
const usualMTU = 1500

// leaseOf reads an ACK for a request that was sent at since; false when it cannot be used.
func leaseOf(p *dhcpv4.DHCPv4, since time.Duration) (l lease, ok bool) {
	addr, ok := netip.AddrFromSlice(p.YourIPAddr.To4())
	bits, size := p.SubnetMask().Size()
	if !ok || !addr.IsGlobalUnicast() || size != 32 || bits == 0 {
		return l, false
	}
	life := p.IPAddressLeaseTime(0)
	if life < 10*time.Second { // less than it takes to ask again
		return l, false
	}
	l = lease{addr: netip.PrefixFrom(addr, bits), mtu: usualMTU, since: since, dns: addrs(p.DNS()), ntp: addrs(p.NTPServers()), routes: map[netip.Prefix]netip.Addr{}}
	if s := addrs([]net.IP{p.ServerIdentifier()}); len(s) > 0 {
		l.server = s[0]
	}
	if routers := addrs(p.Router()); len(routers) > 0 {
		l.router = routers[0]
	}
	if routes := p.ClasslessStaticRoute(); len(routes) > 0 { // RFC 3442: option 3 does not count then
		l.router = netip.Addr{}
		for _, r := range routes {
			to, ok := netip.AddrFromSlice(r.Dest.IP.To4())
			via, ok2 := netip.AddrFromSlice(r.Router.To4())
			bits, _ := r.Dest.Mask.Size()
			switch {
			case !ok || !ok2:
			case bits == 0:
				l.router = via
			default:
				l.routes[netip.PrefixFrom(to, bits)] = via
			}
		}
	}
	if mtu, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, p.Options); err == nil && mtu >= 576 && mtu < usualMTU {
		l.mtu = int(mtu)
	}
	l.times(life, p.IPAddressRenewalTime(life/2), p.IPAddressRebindingTime(life/8*7))
	return l, true
}

// times sets when the lease is to be renewed (RFC 2131, section 4.4.5).
func (l *lease) times(life, renew, rebind time.Duration) {
	const forever = 0xffffffff * time.Second
	if life >= forever {
		l.renew, l.rebind, l.ends = never, never, never
		return
	}
	if renew <= 0 || renew >= life {
		renew = life / 2
	}
	if rebind <= renew || rebind >= life {
		rebind = max(life/8*7, renew)
	}
	l.renew, l.rebind, l.ends = l.since+renew, l.since+rebind, l.since+life
}

// addrs are the IPv4 addresses among some.
func addrs(ips []net.IP) (all []netip.Addr) {
	for _, ip := range ips {
		if a, ok := netip.AddrFromSlice(ip.To4()); ok && !a.IsUnspecified() && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}
