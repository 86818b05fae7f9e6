package testbed

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/world/dhcp"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/proxy"
	"github.com/shakedown-test/shakedown/world/web"
)

// CompanyProxy is the HTTP proxy of a company, through which alone its network reaches the internet.
type CompanyProxy struct {
	*proxy.Server
	URL  string
	WPAD string // URL of the proxy auto-configuration file
}

const (
	companyName  = "proxy.example"
	companyPart  = "company proxy"
	companyGuard = "company firewall"
	companyPort  = 3128
)

// fence makes a proxy the only way to the internet. Devices that are opened from now on are told of it by proxy.url, and whoever asks by
// DHCP and DNS.
func (s *Surroundings) fence(p profile.Proxy) error {
	b := s.bed
	address, err := b.World.Name(companyName)
	if err != nil {
		return err
	}
	at := netip.AddrPortFrom(address, companyPort)
	c := &CompanyProxy{URL: fmt.Sprintf("http://%s:%d", companyName, companyPort), WPAD: "http://" + companyName + "/wpad.dat"}
	c.Server = proxy.New(proxy.Options{Part: companyPart, Clock: b.Clock, Log: b.Log, Dial: b.dialWorld})
	s.undos = append(s.undos, c.Server.Close)
	stream, err := link.NewStream(companyPart, func() (net.Listener, error) { return b.World.Servers.Listen(at) }, b.Clock, b.Log)
	if err != nil {
		return err
	}
	e := endpoint.New(endpoint.Options{Part: companyPart, Clock: b.Clock, Log: b.Log, Stream: stream, Handle: c.Serve})
	s.undos = append(s.undos, func() { stream.Close() }, func() { e.Close() })
	if err := s.tellOf(c, address); err != nil {
		return err
	}
	direct := ruling(p.Direct)
	leave, err := b.World.Guard(b.World.Home(), internet.Guard{Name: companyGuard, Rule: func(protocol internet.Protocol, to netip.AddrPort) internet.Ruling {
		switch {
		case protocol == internet.TCP && to.Addr() == address && (to.Port() == companyPort || to.Port() == 80):
			return internet.Pass
		case to.Port() == 53 && protocol != internet.ICMP, to.Port() == 123 && protocol == internet.UDP:
			return internet.Pass
		}
		return direct
	}})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("what goes out directly is %s", p.Direct)
	b.Log.Add(evidence.Event{Part: companyGuard, Kind: evidence.Impair, Text: what})
	s.undos, s.Proxy = append(s.undos, func() {
		leave()
		b.Log.Add(evidence.Event{Part: companyGuard, Kind: evidence.Heal, Text: what})
	}), c
	return nil
}

// tellOf tells the network of the proxy, and serves its auto-configuration file.
func (s *Surroundings) tellOf(c *CompanyProxy, address netip.Addr) error {
	b := s.bed
	is := dns.Records{TTL: NameTTL, A: []netip.Addr{address}}
	s.undos = append(s.undos, b.DNS.Zone.Set(companyName, is), b.DNS.Zone.Set("wpad", is), b.DHCP.Set(func(l *dhcp.Leases) { l.WPAD = c.WPAD }))
	l, err := b.World.Servers.Listen(netip.AddrPortFrom(address, 80))
	if err != nil {
		return err
	}
	pac := fmt.Sprintf("function FindProxyForURL(url, host) { return \"PROXY %s:%d\"; }\n", companyName, companyPort)
	page := web.Resource{Type: "application/x-ns-proxy-autoconfig", Body: []byte(pac)}
	files := web.New(web.Options{Part: companyPart, Clock: b.Clock, Log: b.Log})
	files.When(web.Rule{Path: "/wpad.dat", Do: func(*web.Request) web.Response { return page.Whole() }})
	s.undos = append(s.undos, files.Close, serve(l, func(_ context.Context, nc net.Conn) { files.Serve(nc) }))
	was := b.told
	b.told = c.URL
	s.undos = append(s.undos, func() { b.told = was })
	return nil
}

// dialWorld connects one of the world's servers to a host and port, by TCP.
func (b *Bed) dialWorld(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return b.World.Servers.DialContext(ctx, "tcp", address)
	}
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return b.World.Servers.DialContext(ctx, network[:3], netip.AddrPortFrom(providerResolver, 53).String())
	}}
	addrs, err := r.LookupNetIP(ctx, "ip4", host+".")
	if err != nil {
		return nil, err
	}
	return b.World.Servers.DialContext(ctx, "tcp", net.JoinHostPort(addrs[0].Unmap().String(), port))
}
