//go:build peers

package network

import (
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/pki"
	"github.com/shakedown-test/shakedown/world/web"
)

// page is what scripts ask for.
const page = `http://api.example/page`

var webPeers = []peer{
	{name: "curl", script: `curl -sS -m 15 ` + page, arrange: api(nil)},
	{name: "curl-redirect", script: `curl -sSL -m 15 ` + page, arrange: api(redirect)},
	{name: "curl-cut-short", script: `curl -sS -m 15 ` + page, arrange: api(cutShort)},
	{name: "curl-no-name", script: `curl -sS -m 15 ` + page, arrange: func(_ *testing.T, b *testbed.Bed, _ string) { b.Impair(b.DNS.Do(dns.NXDomain())) }},
	{name: "curl-outage", script: `curl -sS -m 6 ` + page, arrange: outage},
	{name: "wget", script: `wget -nv -O - -T 10 -t 2 ` + page, arrange: api(nil)},
	{name: "wget-cut-short", script: `wget -nv -O - -T 10 -t 2 ` + page, arrange: api(cutShort)},
	{name: "s_client", script: sClient, arrange: secure(pki.Good)},
	{name: "s_client-wrong-host", script: sClient, arrange: secure(pki.WrongHost)},
	{name: "s_client-expired", script: sClient, arrange: secure(pki.Expired1h)},
}

// api puts a web server at api.example that answers as the rule says.
func api(rule func(*web.Request) web.Response) arrange {
	return func(t *testing.T, b *testbed.Bed, _ string) {
		s := web.New(web.Options{Part: "api", Clock: b.Clock, Log: b.Log})
		t.Cleanup(s.Close)
		good := web.Resource{Type: "text/plain", Body: []byte("the whole page\n")}
		s.When(web.Rule{Do: func(q *web.Request) web.Response {
			if rule == nil || q.Path != "/page" {
				return good.Whole()
			}
			return rule(q)
		}})
		serve(t, b, "api.example", 80, s.Serve)
	}
}

// outage is an API beyond a link that swallows everything.
func outage(t *testing.T, b *testbed.Bed, dir string) {
	api(nil)(t, b, dir)
	b.Impair(b.World.Home().Uplink.Blackhole(frame.Both))
}

func redirect(*web.Request) web.Response { return web.Redirect(302, "/elsewhere") }

// cutShort ends the connection before all that was announced came.
func cutShort(*web.Request) web.Response {
	return web.Response{Status: 200, Type: "text/plain", Body: []byte("the whole page\n"), Stop: 5}
}

// serve has connections to a port at a name served.
func serve(t *testing.T, b *testbed.Bed, name string, port uint16, handle func(net.Conn)) {
	t.Helper()
	at, err := b.World.Name(name)
	if err != nil {
		t.Fatal(err)
	}
	b.DNS.Zone.Set(name, dns.Records{TTL: testbed.NameTTL, A: []netip.Addr{at}})
	l, err := b.World.Servers.Listen(netip.AddrPortFrom(at, port))
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() { handle(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		tasks.Wait()
	})
}

const sClient = `openssl s_client -connect tls.example:443 -servername tls.example -CAfile ca.pem -verify_hostname tls.example -verify_return_error -brief </dev/null 2>&1 |
	grep -vE '^(DONE|Peer Temp|Peer cert|Hash|Server Temp|[0-9A-F]+:error)'`

// secure puts a TLS server at tls.example that presents a certificate of that case.
func secure(c pki.Case) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		authority, err := pki.New(b.Clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := authority.Server(c, "tls.example")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "ca.pem"), authority.RootsPEM(), 0o600); err != nil {
			t.Fatal(err)
		}
		serve(t, b, "tls.example", 443, func(c net.Conn) {
			defer c.Close()
			_ = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*cert}}).HandshakeContext(t.Context())
		})
	}
}
