package testbed

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/world/clock"
)

// lodger lives in a network profile.
type lodger struct {
	bed  *Bed
	host *internet.Host
	*Surroundings
}

func lodge(t *testing.T, name string, speed float64) lodger {
	t.Helper()
	clk := clock.New(speed)
	log := evidence.NewLog(clk.Now, nil, false)
	t.Cleanup(func() { log.Close() })
	b, err := OpenNetwork(clk, log, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	h, access, err := b.World.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Enter(p, access)
	if err != nil {
		t.Fatal(err)
	}
	return lodger{b, h, s}
}

func (l lodger) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err != nil {
		r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return l.host.DialContext(ctx, network[:3], netip.AddrPortFrom(l.bed.DNS.Addrs()[0], 53).String())
		}}
		addrs, err := r.LookupNetIP(ctx, "ip4", host+".")
		if err != nil {
			return nil, err
		}
		host = addrs[0].Unmap().String()
	}
	return l.host.DialContext(ctx, network, net.JoinHostPort(host, port))
}

// get is the status and the beginning of the answer to a GET, without following redirects.
func (l lodger) get(t *testing.T, address string, proxy *url.URL) (status int, where, body string) {
	t.Helper()
	tr := &http.Transport{DialContext: l.dial, DisableKeepAlives: true, Proxy: http.ProxyURL(proxy)}
	defer tr.CloseIdleConnections()
	q, _ := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	r, err := tr.RoundTrip(q)
	if err != nil {
		t.Fatalf("GET %s: %v", address, err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(r.Body, 200))
	return r.StatusCode, r.Header.Get("Location"), string(b)
}

func TestHotelPortal(t *testing.T) {
	t.Parallel()
	l := lodge(t, "hotel-portal", 20)
	if status, _, _ := l.get(t, "http://"+Meeting+"/", nil); status != 200 {
		t.Errorf("before it shuts: %d", status)
	}
	for range 2 { // it can be shut anew
		l.Shut()
		if status, where, _ := l.get(t, "http://"+Meeting+"/", nil); status != 302 || where != "http://portal.example/login" {
			t.Errorf("shut: %d to %q", status, where)
		}
		if status, _, _ := l.get(t, "http://203.0.113.10/", nil); status != 302 {
			t.Errorf("shut, by address: %d", status)
		}
		if status, _, body := l.get(t, "http://portal.example/login", nil); status != 200 || len(body) == 0 {
			t.Errorf("its login page: %d", status)
		}
		for _, at := range []string{Meeting + ":443", "203.0.113.10:8883"} {
			if c, err := l.dial(t.Context(), "tcp", at); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("shut, %s: %v, %v", at, c, err)
			}
		}
		if left := l.Opens().Sub(l.bed.Clock.Now()); left <= 0 || left > 30*time.Second {
			t.Errorf("it opens in %s", left)
		}
	}
	l.bed.Clock.Sleep(t.Context(), 31*time.Second)
	if status, _, body := l.get(t, "http://"+Meeting+"/", nil); status != 200 || body[:5] != "Hello" {
		t.Errorf("open: %d %q", status, body)
	}
	l.Leave()
	l.Leave()
}

func TestCorporateProxy(t *testing.T) {
	t.Parallel()
	l := lodge(t, "corporate-proxy", 10)
	l.Shut() // of no effect
	for _, at := range []string{"203.0.113.10:80", "203.0.113.10:443", "203.0.113.10:1883", "203.0.113.10:8883"} {
		if _, err := l.dial(t.Context(), "tcp", at); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("directly to %s: %v", at, err)
		}
	}
	through, err := url.Parse(l.Proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := l.get(t, "http://"+Meeting+"/", through); status != 200 || body[:5] != "Hello" {
		t.Errorf("through the proxy: %d %q", status, body)
	}
	if _, _, body := l.get(t, "http://wpad/wpad.dat", nil); body != "function FindProxyForURL(url, host) { return \"PROXY proxy.example:3128\"; }\n" {
		t.Errorf("auto-configuration file: %q", body)
	}
	if wpad := l.bed.DHCP.Leases().WPAD; wpad != "http://proxy.example/wpad.dat" {
		t.Errorf("DHCP tells of %q", wpad)
	}
	l.tunnel(t, through)
	if l.bed.told != l.Proxy.URL {
		t.Errorf("devices are told of %q", l.bed.told)
	}
	l.Leave()
	if l.bed.told != "" || l.bed.DHCP.Leases().WPAD != "" {
		t.Error("the network still tells of the proxy")
	}
	if status, _, _ := l.get(t, "http://"+Meeting+"/", nil); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

// tunnel speaks TLS with a server through CONNECT.
func (l lodger) tunnel(t *testing.T, through *url.URL) {
	t.Helper()
	at, err := l.bed.World.Name("secure.example")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := l.bed.World.Servers.Listen(netip.AddrPortFrom(at, 8883))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "over TLS") }))
	s.Listener.Close()
	s.Listener = listener
	s.StartTLS()
	defer s.Close()
	tr := s.Client().Transport.(*http.Transport).Clone()
	tr.DialContext, tr.Proxy, tr.DisableKeepAlives = l.dial, http.ProxyURL(through), true
	tr.TLSClientConfig.ServerName = "example.com"
	r, err := (&http.Client{Transport: tr}).Get("https://" + netip.AddrPortFrom(at, 8883).String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if b, _ := io.ReadAll(r.Body); string(b) != "over TLS" {
		t.Errorf("through a tunnel: %q", b)
	}
}
