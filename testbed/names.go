package testbed

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/dns"
)

// NameTTL is how long what the world's DNS says may be kept, where a check does not say otherwise.
const NameTTL = time.Minute

// Addresses of the resolvers beside the router's. The public ones are those that firmware is most often found to have built in.
var (
	providerResolver = netip.MustParseAddr("203.0.113.2")
	publicResolvers  = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("1.1.1.1")}
)

// Names is the DNS of a world: one zone and several resolvers that answer from it.
type Names struct {
	Zone   *dns.Zone
	Told   []*Resolver // those that the network tells the device of, best first: the router and that of the provider
	Public []*Resolver // well-known ones, which the network does not tell of
	Six    *Resolver   // the router over IPv6, at every address that it has; its advertisements tell of it
}

// Resolver is one of them, with its address.
type Resolver struct {
	*dns.Server
	Addr netip.Addr
}

// Addrs are the addresses that the network tells the device.
func (n *Names) Addrs() (all []netip.Addr) {
	for _, r := range n.Told {
		all = append(all, r.Addr)
	}
	return all
}

// resolvers are the addresses that the network tells of; none without a world.
func (b *Bed) resolvers() []netip.Addr {
	if b.DNS == nil {
		return nil
	}
	return b.DNS.Addrs()
}

// Do has every resolver misbehave until undo.
func (n *Names) Do(b dns.Behaviour) (undo func()) {
	var undos []func()
	for _, all := range [][]*Resolver{n.Told, n.Public, {n.Six}} {
		for _, r := range all {
			undos = append(undos, r.Server.Do(b))
		}
	}
	return func() {
		for _, u := range undos {
			u()
		}
	}
}

// openNames starts the DNS of the world, in which the device's cloud is at an address, under its name and all others of its domain.
func (b *Bed) openNames(host string, cloud netip.Addr) error {
	b.DNS = &Names{Zone: dns.NewZone()}
	is := dns.Records{TTL: NameTTL, A: []netip.Addr{cloud}}
	b.DNS.Zone.Set(host, is)
	if _, domain, ok := strings.Cut(host, "."); ok && strings.Contains(domain, ".") {
		b.DNS.Zone.Set("*."+domain, is)
	}
	router := b.World.Home().Router
	r, err := b.resolver("router dns", router.Host, router.LAN().Addr())
	if err != nil {
		return err
	}
	b.DNS.Told = append(b.DNS.Told, r)
	if b.DNS.Six, err = b.resolver("router dns over IPv6", router.Host, netip.IPv6Unspecified()); err != nil {
		return err
	}
	for _, at := range append([]netip.Addr{providerResolver}, publicResolvers...) {
		if err := b.World.Serve(at); err != nil {
			return err
		}
		name := "public dns " + at.String()
		if at == providerResolver {
			name = "provider dns"
		}
		if r, err = b.resolver(name, b.World.Servers, at); err != nil {
			return err
		}
		if at == providerResolver {
			b.DNS.Told = append(b.DNS.Told, r)
		} else {
			b.DNS.Public = append(b.DNS.Public, r)
		}
	}
	return nil
}

// resolver starts a resolver on an address of a host.
func (b *Bed) resolver(name string, on *internet.Host, at netip.Addr) (*Resolver, error) {
	const port, stray = 53, 5300
	udp, err := on.ListenPacket(netip.AddrPortFrom(at, port))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	other, err := on.ListenPacket(netip.AddrPortFrom(at, stray))
	if err != nil {
		udp.Close()
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	tcp, err := on.Listen(netip.AddrPortFrom(at, port))
	if err != nil {
		udp.Close()
		other.Close()
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	s := dns.New(dns.Options{Part: name, Zone: b.DNS.Zone, Clock: b.Clock, Log: b.Log, UDP: udp, TCP: tcp, Stray: other})
	b.Undo(func() { s.Close() })
	return &Resolver{s, at}, nil
}
