package internet

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// auto is what a host learned from router advertisements. It implements ipv6.NDPDispatcher, whose calls come while the stack is locked:
// what follows of them is done by a goroutine of its own.
type auto struct {
	mu      sync.Mutex
	host    *Host // nil before SLAAC
	addrs   []netip.Prefix
	old     map[netip.Prefix]bool // deprecated
	via     []netip.Addr
	on      []netip.Prefix // prefixes on the link
	dns     []netip.Addr
	changed func()
	closed  bool
	work    sync.WaitGroup
}

// SLAAC has the host make IPv6 addresses and a default route from router advertisements (RFC 4862), beside those that it is given.
// Changed, which may be nil, is called after every change, until Close. A second call changes that, and asks for an advertisement anew.
func (h *Host) SLAAC(changed func()) error {
	h.auto.mu.Lock()
	again := h.auto.host != nil
	if again {
		h.auto.changed = changed
	}
	h.auto.mu.Unlock()
	if again {
		h.Solicit()
		return nil
	}
	local := linkLocal([6]byte(h.MAC))
	if err := h.Add(netip.PrefixFrom(local, 64)); err != nil {
		return fmt.Errorf("start SLAAC: %w", err)
	}
	ep, err := h.stack.GetNetworkEndpoint(only, ipv6.ProtocolNumber)
	if err != nil {
		return fmt.Errorf("start SLAAC: %s", err)
	}
	ndp, ok := ep.(ipv6.NDPEndpoint)
	if !ok {
		return fmt.Errorf("start SLAAC: the IP stack has no neighbour discovery")
	}
	h.auto.mu.Lock()
	h.auto.host, h.auto.changed = h, changed
	h.auto.mu.Unlock()
	h.reroute()
	ndp.SetNDPConfigurations(ipv6.NDPConfigurations{
		HandleRAs: ipv6.HandlingRAsAlwaysEnabled, DiscoverDefaultRouters: true, DiscoverOnLinkPrefixes: true, AutoGenGlobalAddresses: true,
	})
	h.Solicit()
	return nil
}

// Solicit asks for a router advertisement (RFC 4861, section 4.1).
func (h *Host) Solicit() {
	icmp := slices.Concat([]byte{routerSolicitation, 0, 0, 0, 0, 0, 0, 0}, []byte{1, 1}, h.MAC)
	h.nic.send(frame6([6]byte{0x33, 0x33, 0, 0, 0, 2}, [6]byte(h.MAC), linkLocal([6]byte(h.MAC)), netip.MustParseAddr("ff02::2"), icmp))
}

// PingAll sends an echo request from one of the host's addresses to all nodes of its link, which stations answer from an address of the same
// prefix.
func (h *Host) PingAll(from netip.Addr) {
	icmp := []byte{echoRequest6, 0, 0, 0, 0x5d, 0x5d, 0, 1}
	h.Send(frame6([6]byte{0x33, 0x33, 0, 0, 0, 1}, [6]byte(h.MAC), from, netip.MustParseAddr("ff02::1"), icmp))
}

// linkLocal is the address of an interface on its link (RFC 4291, appendix A).
func linkLocal(mac [6]byte) netip.Addr {
	return netip.AddrFrom16([16]byte{0xfe, 0x80, 8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5]})
}

// Auto are the addresses that the host made itself from router advertisements; those that are deprecated are left out.
func (h *Host) Auto() (all []netip.Prefix) {
	a := &h.auto
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.addrs {
		if !a.old[p] {
			all = append(all, p)
		}
	}
	return all
}

// AutoDNS are the resolvers of the last router advertisement that named some (RFC 8106).
func (h *Host) AutoDNS() []netip.Addr {
	h.auto.mu.Lock()
	defer h.auto.mu.Unlock()
	return slices.Clone(h.auto.dns)
}

func (a *auto) routers() []netip.Addr {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.via[:min(len(a.via), 1)])
}

func (a *auto) prefixes() []netip.Prefix {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.on)
}

// change takes over something new.
func (a *auto) change(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
	if a.host == nil || a.closed {
		return
	}
	host, changed := a.host, a.changed
	a.work.Go(func() {
		host.reroute()
		if changed != nil {
			changed()
		}
	})
}

func (a *auto) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.work.Wait()
}

func without[T comparable](all []T, v T) []T {
	return slices.DeleteFunc(slices.Clone(all), func(o T) bool { return o == v })
}

func addrOf(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice())
	return addr
}

func prefixOf(a tcpip.AddressWithPrefix) netip.Prefix {
	return netip.PrefixFrom(addrOf(a.Address), a.PrefixLen)
}

// OnDuplicateAddressDetectionResult implements ipv6.NDPDispatcher.
func (a *auto) OnDuplicateAddressDetectionResult(tcpip.NICID, tcpip.Address, stack.DADResult) {}

// OnOffLinkRouteUpdated implements ipv6.NDPDispatcher.
func (a *auto) OnOffLinkRouteUpdated(_ tcpip.NICID, dest tcpip.Subnet, router tcpip.Address, _ header.NDPRoutePreference) {
	if dest.Equal(header.IPv6EmptySubnet) {
		a.change(func() { a.via = append(without(a.via, addrOf(router)), addrOf(router)) })
	}
}

// OnOffLinkRouteInvalidated implements ipv6.NDPDispatcher.
func (a *auto) OnOffLinkRouteInvalidated(_ tcpip.NICID, dest tcpip.Subnet, router tcpip.Address) {
	if dest.Equal(header.IPv6EmptySubnet) {
		a.change(func() { a.via = without(a.via, addrOf(router)) })
	}
}

// OnOnLinkPrefixDiscovered implements ipv6.NDPDispatcher.
func (a *auto) OnOnLinkPrefixDiscovered(_ tcpip.NICID, p tcpip.Subnet) {
	prefix := netip.PrefixFrom(addrOf(p.ID()), p.Prefix())
	a.change(func() { a.on = append(without(a.on, prefix), prefix) })
}

// OnOnLinkPrefixInvalidated implements ipv6.NDPDispatcher.
func (a *auto) OnOnLinkPrefixInvalidated(_ tcpip.NICID, p tcpip.Subnet) {
	prefix := netip.PrefixFrom(addrOf(p.ID()), p.Prefix())
	a.change(func() { a.on = without(a.on, prefix) })
}

// OnAutoGenAddress implements ipv6.NDPDispatcher.
func (a *auto) OnAutoGenAddress(_ tcpip.NICID, p tcpip.AddressWithPrefix) stack.AddressDispatcher {
	a.change(func() { a.addrs = append(without(a.addrs, prefixOf(p)), prefixOf(p)) })
	return nil
}

// OnAutoGenAddressDeprecated implements ipv6.NDPDispatcher.
func (a *auto) OnAutoGenAddressDeprecated(_ tcpip.NICID, p tcpip.AddressWithPrefix) {
	a.change(func() {
		if a.old == nil {
			a.old = map[netip.Prefix]bool{}
		}
		a.old[prefixOf(p)] = true
	})
}

// OnAutoGenAddressInvalidated implements ipv6.NDPDispatcher.
func (a *auto) OnAutoGenAddressInvalidated(_ tcpip.NICID, p tcpip.AddressWithPrefix) {
	a.change(func() {
		a.addrs = without(a.addrs, prefixOf(p))
		delete(a.old, prefixOf(p))
	})
}

// OnRecursiveDNSServerOption implements ipv6.NDPDispatcher.
func (a *auto) OnRecursiveDNSServerOption(_ tcpip.NICID, addrs []tcpip.Address, life time.Duration) {
	var dns []netip.Addr
	for _, d := range addrs {
		if life > 0 {
			dns = append(dns, addrOf(d))
		}
	}
	a.change(func() { a.dns = dns })
}

// OnDNSSearchListOption implements ipv6.NDPDispatcher.
func (a *auto) OnDNSSearchListOption(tcpip.NICID, []string, time.Duration) {}

// OnDHCPv6Configuration implements ipv6.NDPDispatcher.
func (a *auto) OnDHCPv6Configuration(tcpip.NICID, ipv6.DHCPv6ConfigurationFromNDPRA) {}
