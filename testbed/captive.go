package testbed

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
	"github.com/shakedown-test/shakedown/world/portal"
)

// PortalPart is the part of a captive portal's events.
const PortalPart = "portal"

// Captive puts a captive portal between the device and its API; it is open at first. When it shuts, connections to the API are cut, new
// ones go to the portal, which over TLS has a certificate of its own name, and in a world the DNS answers with the portal's address.
func (b *Bed) Captive() (*portal.Portal, error) {
	login := "http://portal.example/login"
	p := portal.New(portal.Options{Part: PortalPart, Clock: b.Clock, Log: b.Log, Login: login})
	b.Undo(p.Close)
	var face *endpoint.TLS
	if b.Web.Secure {
		cert, err := b.PKI.Server(pki.OtherRealCert, b.Web.Name)
		if err != nil {
			return nil, fmt.Errorf("issue the portal's certificate: %w", err)
		}
		face = &endpoint.TLS{Certificate: cert}
	}
	p.Hook(func() func() {
		open := b.Web.Endpoint.Divert("a captive portal", p.Serve)
		foreign := func() {}
		if face != nil {
			foreign = b.Web.Endpoint.Present(*face)
		}
		b.Web.Link.Cut(true)
		return func() {
			foreign()
			open()
			b.Web.Link.Cut(false)
		}
	})
	if b.World == nil {
		return p, nil
	}
	return p, b.hijack(p, face)
}

// hijack gives the portal an address in the world, and the DNS a hook to answer with it.
func (b *Bed) hijack(p *portal.Portal, face *endpoint.TLS) error {
	address, err := b.World.Name("captive portal")
	if err != nil {
		return err
	}
	to := netip.AddrPortFrom(address, uint16(b.webPort()))
	stream, err := link.NewStream(PortalPart, func() (net.Listener, error) { return b.World.Servers.Listen(to) }, b.Clock, b.Log)
	if err != nil {
		return err
	}
	e := endpoint.New(endpoint.Options{Part: PortalPart, Clock: b.Clock, Log: b.Log, Stream: stream, TLS: face, Handle: p.Serve})
	b.Undo(func() { e.Close() })
	p.Hook(func() func() {
		b.Log.Add(evidence.Event{Part: PortalPart, Kind: evidence.Seen, Text: fmt.Sprintf("the DNS answers %s with %s", b.Web.Name, address)})
		undo := b.DNS.Do(dns.Hijack(address).For(b.Web.Name))
		return func() {
			undo()
			stream.Cut(false)
		}
	})
	return nil
}

// webPort is the port of the API.
func (b *Bed) webPort() int {
	if a, ok := b.Web.Link.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 443
}
