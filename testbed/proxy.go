package testbed

import (
	"context"
	"fmt"
	"net"

	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/proxy"
)

// Proxy is an HTTP proxy, with the link through which the device reaches it.
type Proxy struct {
	*proxy.Server
	Link *link.Stream
	name string
}

// URL is where the proxy is.
func (p *Proxy) URL() string {
	_, port, _ := net.SplitHostPort(p.Link.Addr().String()) // a listener's address has a port
	return "http://" + net.JoinHostPort(p.name, port)
}

// proxyPort tells the ports of the proxy and of the API behind it apart from the others at their address.
const proxyPort = 8000

// openProxy opens a proxy that leads to the API, over a link of its own that the device does not know.
func (b *Bed) openProxy(l *product.Link) error {
	log := b.Log
	behind, err := b.serveWeb(at{link: l.Name + " behind the proxy", address: b.Web.Name, name: b.Web.Name, secure: b.Web.Secure, nth: proxyPort + 1}, b.Web.Server, log)
	if err != nil {
		return err
	}
	known := b.Web.URL()
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		if "https://"+address != known && "http://"+address != known {
			return nil, fmt.Errorf("no route to %s", address)
		}
		if b.World != nil {
			return b.World.Servers.DialContext(ctx, "tcp", behind.Link.Addr().String())
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", behind.Link.Addr().String())
	}
	where := at{link: "proxy", address: b.Web.Name, name: b.Web.Name, nth: proxyPort}
	listen, err := b.listenAt(where)
	if err != nil {
		return err
	}
	p := &Proxy{name: b.Web.Name, Server: proxy.New(proxy.Options{Part: "proxy", Clock: b.Clock, Log: log, Dial: dial})}
	b.Undo(p.Server.Close)
	if p.Link, err = link.NewStream(where.link, listen, b.Clock, log); err != nil {
		return err
	}
	b.Undo(func() { p.Link.Close() })
	e := endpoint.New(endpoint.Options{Part: "proxy", Clock: b.Clock, Log: log, Stream: p.Link, Handle: p.Serve})
	b.Undo(func() { e.Close() })
	b.Proxy = p
	return nil
}
