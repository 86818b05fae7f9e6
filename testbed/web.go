package testbed

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
	"github.com/shakedown-test/shakedown/world/web"
)

// Web is a stand-in for an HTTP API, with the link through which the device reaches it.
type Web struct {
	*web.Server
	Link     *link.Stream
	Endpoint *endpoint.Endpoint
	Name     string // host name
	Secure   bool   // over TLS
}

// URL is where the API is, without a slash at the end.
func (w *Web) URL() string {
	scheme := "http://"
	if w.Secure {
		scheme = "https://"
	}
	_, port, _ := net.SplitHostPort(w.Link.Addr().String()) // a listener's address has a port
	return scheme + net.JoinHostPort(w.Name, port)
}

// openWeb plays the HTTP API of a device that has a link to one. In a check that is not about HTTP it serves as well, but what it sees goes
// to a log of its own: there it would stand between the connections that the check looks at.
func (b *Bed) openWeb(part product.Part) error {
	l := b.Product.LinkOf(part.Name, product.HTTP)
	if l == nil {
		return nil
	}
	log := b.Log
	if b.cfg.Speaks != product.HTTP && b.cfg.Speaks != product.HTTPS {
		log = evidence.NewLog(b.Clock.Now, nil, false)
	}
	var err error
	api := web.New(web.Options{Part: l.Name, Clock: b.Clock, Log: log})
	b.Undo(api.Close)
	a := at{link: l.Name, address: part.Host, name: part.Host, secure: l.Protocol == product.HTTPS}
	if b.Broker == nil { // the API is all that there is of the device's cloud
		if a.listen, err = b.listen(part, l.Protocol); err != nil {
			return fmt.Errorf("listen for it: %w", err)
		}
	}
	b.Web, err = b.serveWeb(a, api, log)
	if err == nil && b.cfg.Proxied {
		err = b.openProxy(l)
	}
	if err != nil {
		return fmt.Errorf("play the API of %s: %w", part.Name, err)
	}
	h := part.HTTP
	if h != nil && log != b.Log { // it has nothing to do with the check: something to take, and not to ask for again soon
		doc := web.Resource{Type: h.Type, Body: []byte(product.Fill(h.Payload, "shakedown-1", 1, "standing")), MaxAge: time.Hour}
		b.Web.When(web.Rule{Match: func(q *web.Request) bool { return q.Method == "GET" }, Do: func(*web.Request) web.Response { return doc.Whole() }})
	}
	if h != nil && h.Token != "" {
		b.Web.When(web.Rule{Path: h.Token, Match: posts, Do: b.grant})
	}
	return nil
}

func posts(q *web.Request) bool { return q.Method == "POST" }

// grant gives out the next bearer token.
func (b *Bed) grant(*web.Request) web.Response {
	b.tokens.Add(1)
	return web.Response{
		Status: 200, Type: "application/json", Body: fmt.Appendf(nil, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, b.Token()),
	}
}

// Token is the bearer token that was given out last; the first is the placeholder web.token.
func (b *Bed) Token() string { return fmt.Sprintf("shakedown-token-%d", b.tokens.Load()+1) }

// Elsewhere is another server of the world: one at another host name, or without TLS, to which a redirect may point. Its address is that
// of the API, its port another.
func (b *Bed) Elsewhere(name string, secure bool) (*Web, error) {
	b.elsewhere++
	a := at{link: fmt.Sprintf("elsewhere %d", b.elsewhere), address: b.Web.Name, name: name, secure: secure, nth: b.elsewhere}
	s := web.New(web.Options{Part: a.link, Clock: b.Clock, Log: b.Log})
	b.Undo(s.Close)
	return b.serveWeb(a, s, b.Log)
}

// Foreign is a host name that the device can reach and that is not the API's own.
func (b *Bed) Foreign() string {
	name := b.Web.Name
	if _, domain, ok := strings.Cut(name, "."); ok && net.ParseIP(name) == nil {
		return "elsewhere." + domain
	}
	if name == "localhost" {
		return "127.0.0.1"
	}
	return "localhost"
}

// at is where a server listens.
type at struct {
	link    string // name of its link
	address string // the host name whose address it has
	name    string // the host name that it answers to
	secure  bool
	nth     int         // tells apart the ports of several at one address
	listen  link.Listen // nil: as the rest says
}

// serveWeb opens a link to a server.
func (b *Bed) serveWeb(a at, s *web.Server, log *evidence.Log) (*Web, error) {
	listen, err := b.listenAt(a)
	if err != nil {
		return nil, err
	}
	w := &Web{Server: s, Name: a.name, Secure: a.secure}
	if w.Link, err = link.NewStream(a.link, listen, b.Clock, log); err != nil {
		return nil, err
	}
	b.Undo(func() { w.Link.Close() })
	var tls *endpoint.TLS
	if a.secure {
		cert, err := b.PKI.Server(pki.Good, a.name)
		if err != nil {
			return nil, fmt.Errorf("issue a certificate: %w", err)
		}
		tls = &endpoint.TLS{Certificate: cert}
	}
	w.Endpoint = endpoint.New(endpoint.Options{Part: a.link, Clock: b.Clock, Log: log, Stream: w.Link, TLS: tls, Handle: s.Serve})
	b.Undo(func() { w.Endpoint.Close() })
	return w, nil
}

// listenAt opens a port in the world, or one of this machine.
func (b *Bed) listenAt(a at) (link.Listen, error) {
	if a.listen != nil {
		return a.listen, nil
	}
	if b.World == nil {
		listen, release, err := link.Reserve("127.0.0.1:0")
		if err == nil {
			b.Undo(release)
		}
		return listen, err
	}
	address, err := b.World.Name(a.address)
	if err != nil {
		return nil, err
	}
	port := uint16(80)
	if a.secure {
		port = 443
	}
	to := netip.AddrPortFrom(address, port+uint16(a.nth))
	return func() (net.Listener, error) { return b.World.Servers.Listen(to) }, nil
}

// webValues are the placeholders of HTTP.
func (b *Bed) webValues(v map[string]string) {
	for _, name := range []string{"web.url", "web.host", "web.port", "web.name", "web.token", "proxy.url"} {
		v[name] = ""
	}
	v["proxy.url"] = b.told
	if b.Web == nil {
		return
	}
	v["web.host"], v["web.port"], _ = net.SplitHostPort(b.Web.Link.Addr().String())
	v["web.url"], v["web.name"], v["web.token"] = b.Web.URL(), b.Web.Name, b.Token()
	if b.Proxy != nil {
		v["proxy.url"] = b.Proxy.URL()
	}
}
