package internet

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// only is the number of a host's only interface.
const only tcpip.NICID = 1

// mtu of every Ethernet interface.
const mtu = 1500

// Host is a machine in this internet that lives in this process: an IP stack with one Ethernet interface. It is safe for concurrent use.
type Host struct {
	MAC net.HardwareAddr

	stack   *stack.Stack
	nic     *nic
	mu      sync.Mutex
	has     []netip.Prefix
	routers []netip.Addr
	via     map[netip.Prefix]netip.Addr
	seen    watchers
	taps    taps
	auto    auto
	isns    atomic.Pointer[isns] // nil: the stack's own
}

// NewHost makes a host at the near end of a link. It has no address yet.
func NewHost(clk *clock.Clock, l *frame.Link, mac net.HardwareAddr, seed uint64) (*Host, error) {
	return newHost(clk, l, mac, seed, true)
}

// newHost makes a host, which sends what is for its own addresses to itself only if local.
func newHost(clk *clock.Clock, l *frame.Link, mac net.HardwareAddr, seed uint64, local bool) (*Host, error) {
	h := &Host{MAC: mac}
	h.nic = &nic{send: func(f []byte) {
		h.isns.Load().out(f)
		l.SendUp(f)
	}, mtu: mtu, mac: tcpip.LinkAddress(mac)}
	h.stack = stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{
			ipv4.NewProtocol, ipv6.NewProtocolWithOptions(ipv6.Options{NDPDisp: &h.auto}), arp.NewProtocolWithOptions(arp.Options{DADConfigs: probing}),
		},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
		Clock:              stackClock{clk},
		RandSource:         &lockedSource{src: rand.NewPCG(seed, 3)},
		HandleLocal:        local,
	})
	sack, buffers := tcpip.TCPSACKEnabled(true), tcpip.TCPReceiveBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: 8 << 20}
	out, moderate := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: 1 << 20, Max: 8 << 20}, tcpip.TCPModerateReceiveBufferOption(true)
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &buffers, &out, &moderate} {
		if err := h.stack.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			h.Close()
			return nil, fmt.Errorf("set up IP stack: %s", err)
		}
	}
	if err := h.stack.CreateNIC(only, h.nic); err != nil {
		h.Close()
		return nil, fmt.Errorf("set up IP stack: %s", err)
	}
	l.Near(func(f []byte) {
		h.seen.look(f)
		h.taps.look(f)
		h.isns.Load().in(f)
		h.nic.deliver(f)
	})
	return h, nil
}

// Close ends the host: its connections are gone without a word, and nothing of it runs any more.
func (h *Host) Close() {
	h.auto.close()
	h.nic.stop()
	h.stack.Destroy()
}

// Add gives the host an address; the prefix says what is on its link.
func (h *Host) Add(p netip.Prefix) error {
	err := h.stack.AddProtocolAddress(only, tcpip.ProtocolAddress{
		Protocol:          number(p.Addr()),
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: tcpip.AddrFromSlice(p.Addr().AsSlice()), PrefixLen: p.Bits()},
	}, stack.AddressProperties{})
	if err != nil {
		return fmt.Errorf("add address %s: %s", p, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.has = append(h.has, p)
	return nil
}

// Remove takes an address away. Connections from it hang.
func (h *Host) Remove(p netip.Prefix) error {
	if err := h.stack.RemoveAddress(only, tcpip.AddrFromSlice(p.Addr().AsSlice())); err != nil {
		return fmt.Errorf("remove address %s: %s", p, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, is := range h.has {
		if is == p {
			h.has = append(h.has[:i], h.has[i+1:]...)
			break
		}
	}
	return nil
}

// Addresses are those that the host was given.
func (h *Host) Addresses() []netip.Prefix {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]netip.Prefix(nil), h.has...)
}

// Route sends all that is not on the host's link to the routers, at most one for each IP version; none leaves it without.
func (h *Host) Route(routers ...netip.Addr) {
	h.mu.Lock()
	h.routers = routers
	h.mu.Unlock()
	h.reroute()
}

// RouteVia sends what is for some networks by a router of their own, before what Route says; nil: none has one.
func (h *Host) RouteVia(via map[netip.Prefix]netip.Addr) {
	h.mu.Lock()
	h.via = via
	h.mu.Unlock()
	h.reroute()
}

// reroute makes the routing table of what the host was told, and of what it learned from router advertisements.
func (h *Host) reroute() {
	var table []tcpip.Route
	h.mu.Lock()
	routers, has := slices.Concat(h.routers, h.auto.routers()), slices.Concat(h.has, h.auto.prefixes())
	via := h.via
	h.mu.Unlock()
	for _, p := range has {
		subnet, err := tcpip.NewSubnet(tcpip.AddrFromSlice(p.Masked().Addr().AsSlice()), tcpip.MaskFromBytes(net.CIDRMask(p.Bits(), p.Addr().BitLen())))
		if err == nil {
			table = append(table, tcpip.Route{Destination: subnet, NIC: only})
		}
	}
	narrow := slices.SortedFunc(maps.Keys(via), func(a, b netip.Prefix) int { return b.Bits() - a.Bits() })
	for _, p := range narrow {
		subnet, err := tcpip.NewSubnet(tcpip.AddrFromSlice(p.Masked().Addr().AsSlice()), tcpip.MaskFromBytes(net.CIDRMask(p.Bits(), p.Addr().BitLen())))
		if err == nil {
			table = append(table, tcpip.Route{Destination: subnet, Gateway: tcpip.AddrFromSlice(via[p].AsSlice()), NIC: only})
		}
	}
	for _, r := range routers {
		all := header.IPv4EmptySubnet
		if r.Is6() {
			all = header.IPv6EmptySubnet
		}
		table = append(table, tcpip.Route{Destination: all, Gateway: tcpip.AddrFromSlice(r.AsSlice()), NIC: only})
	}
	h.stack.SetRouteTable(table)
}

// RouteAll takes every address for one on the host's link, as a station of the backbone does, or a DHCP client without an address.
func (h *Host) RouteAll() {
	h.stack.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: only}, {Destination: header.IPv6EmptySubnet, NIC: only}})
}

// DialContext connects to an address and port; names are not resolved. The network is tcp or udp. Its errors are those of the kernel:
// syscall.ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH.
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %s %s: %w", network, address, err)
	}
	full := fullAddress(to)
	if network == "udp" {
		c, err := gonet.DialUDP(h.stack, nil, &full, number(to.Addr()))
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Addr: net.UDPAddrFromAddrPort(to), Err: errno(err)}
		}
		return &packetConn{UDPConn: c}, nil
	}
	c, err := h.dialTCP(ctx, full, number(to.Addr()))
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: errno(err)}
	}
	return c, nil
}

// ListenPacket opens a UDP port on one of the host's addresses, or on all of them of one IP version. It can send to broadcast addresses.
func (h *Host) ListenPacket(at netip.AddrPort) (net.PacketConn, error) {
	full := fullAddress(at)
	if at.Addr().IsUnspecified() {
		full.Addr = tcpip.Address{}
	}
	c, err := h.openUDP(full, number(at.Addr()))
	if err != nil {
		return nil, fmt.Errorf("listen on udp %s: %w", at, err)
	}
	return c, nil
}

func fullAddress(a netip.AddrPort) tcpip.FullAddress {
	return tcpip.FullAddress{Addr: tcpip.AddrFromSlice(a.Addr().AsSlice()), Port: a.Port()}
}

// number is the IP version of an address.
func number(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

// lockedSource is a seeded source of random numbers for a stack, which asks for them from several goroutines.
type lockedSource struct {
	mu  sync.Mutex
	src *rand.PCG
}

func (s *lockedSource) Int63() int64 { return int64(s.Uint64() >> 1) }

func (s *lockedSource) Uint64() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.src.Uint64()
}

func (s *lockedSource) Seed(int64) {}
