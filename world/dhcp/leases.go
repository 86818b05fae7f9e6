package dhcp

import (
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Leases is what a server gives and how it behaves. Clients that get an option of an empty field do not get it.
type Leases struct {
	Router netip.Prefix  // the server's own address with the length of the network's prefix; it is the default router
	First  netip.Addr    // the first that is leased; invalid: the 100th of the network
	Count  int           // how many; 0: 100
	Lease  time.Duration // 0: a day; Never: 0 on the wire; Infinite: for ever
	Renew  time.Duration // T1, option 58; 0: not sent, which means half of the lease
	Rebind time.Duration // T2, option 59; 0: not sent, which means seven eighths

	NoRouter bool
	DNS      []netip.Addr
	NTP      []netip.Addr
	MTU      uint16
	Domain   string
	WPAD     string  // URL of a proxy auto-configuration file, option 252
	Routes   []Route // option 121; a client that asks for it heeds the default router of option 3 no more (RFC 3442)

	Silent []string      // kinds of messages that are not answered: Everything, "DISCOVER", …, see Message.Kind
	Refuse bool          // every REQUEST gets a NAK
	Slow   time.Duration // before every answer
	Offer  netip.Addr    // offered and leased to whoever asks, as by a server that does not know who has it
}

// Lease times beside the ordinary ones.
const (
	Never    time.Duration = -1
	Infinite time.Duration = 0xffffffff * time.Second
)

// Everything is all kinds of messages for Leases.Silent.
var Everything = []string{"DISCOVER", "REQUEST", "RENEW", "REBIND", "INFORM"}

// Route is a route of option 121.
type Route struct {
	To  netip.Prefix
	Via netip.Addr
}

// lease is one address in use.
type lease struct {
	client string // its MAC address; empty: declined, nobody gets it
	until  time.Duration
}

// offered is how long an offer is kept for its client, and declined how long an address that is in use is not leased.
const (
	offered  = 2 * time.Minute
	declined = 10 * time.Minute
)

// pool is the range of addresses.
func (l Leases) pool() (first netip.Addr, count int) {
	first, count = l.First, l.Count
	if count <= 0 {
		count = 100
	}
	if !first.IsValid() {
		base := l.Router.Masked().Addr().As4()
		base[3] += 100
		first = netip.AddrFrom4(base)
	}
	return first, min(count, 254)
}

func (l Leases) inPool(a netip.Addr) bool {
	first, count := l.pool()
	for range count {
		if a == first {
			return l.Router.Contains(a)
		}
		first = first.Next()
	}
	return false
}

// seconds is a lease time as it is told.
func (l Leases) seconds() time.Duration {
	switch {
	case l.Lease == Never:
		return 0
	case l.Lease == 0:
		return 24 * time.Hour
	}
	return min(l.Lease, Infinite)
}

// find is the address for a client: the one it has, the one that it asks for, or the first that is free. s.mu is held.
func (s *Server) find(l Leases, client string, want netip.Addr) (a netip.Addr, ok bool) {
	if l.Offer.IsValid() {
		return l.Offer, true
	}
	now := s.o.Clock.Passed()
	for at, le := range s.leases {
		if le.until < now {
			delete(s.leases, at)
		} else if le.client == client && l.inPool(at) {
			a, ok = at, true
		}
	}
	if ok {
		return a, true
	}
	if s.free(l, client, want) {
		return want, true
	}
	first, count := l.pool()
	for range count {
		if s.free(l, client, first) {
			return first, true
		}
		first = first.Next()
	}
	return a, false
}

// free reports whether a client can have an address; s.mu is held.
func (s *Server) free(l Leases, client string, a netip.Addr) bool {
	if !a.IsValid() || !l.inPool(a) || a == l.Router.Addr() {
		return l.Offer.IsValid() && a == l.Offer
	}
	le, ok := s.leases[a]
	return !ok || le.until < s.o.Clock.Passed() || le.client == client
}

// options puts what the client is told into an answer.
func (l Leases) options(p *dhcpv4.DHCPv4, withLease bool) {
	p.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(l.Router.Bits(), 32)))
	if withLease {
		p.UpdateOption(dhcpv4.OptIPAddressLeaseTime(l.seconds()))
		if l.Renew > 0 {
			p.UpdateOption(dhcpv4.OptRenewTimeValue(l.Renew))
		}
		if l.Rebind > 0 {
			p.UpdateOption(dhcpv4.OptRebindingTimeValue(l.Rebind))
		}
	}
	if !l.NoRouter {
		p.UpdateOption(dhcpv4.OptRouter(l.Router.Addr().AsSlice()))
	}
	if len(l.DNS) > 0 {
		p.UpdateOption(dhcpv4.OptDNS(ips(l.DNS)...))
	}
	if len(l.NTP) > 0 {
		p.UpdateOption(dhcpv4.OptNTPServers(ips(l.NTP)...))
	}
	if l.MTU > 0 {
		p.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{byte(l.MTU >> 8), byte(l.MTU)}))
	}
	if l.WPAD != "" {
		p.UpdateOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(252), []byte(l.WPAD)))
	}
	if l.Domain != "" {
		p.UpdateOption(dhcpv4.OptDomainName(l.Domain))
	}
	var routes []*dhcpv4.Route
	for _, r := range l.Routes {
		dest := &net.IPNet{IP: r.To.Masked().Addr().AsSlice(), Mask: net.CIDRMask(r.To.Bits(), 32)}
		routes = append(routes, &dhcpv4.Route{Dest: dest, Router: r.Via.AsSlice()})
	}
	if len(routes) > 0 {
		p.UpdateOption(dhcpv4.OptClasslessStaticRoute(routes...))
	}
}

func ips(addrs []netip.Addr) (all []net.IP) {
	for _, a := range addrs {
		all = append(all, a.AsSlice())
	}
	return all
}
