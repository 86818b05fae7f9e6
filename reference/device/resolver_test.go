package device

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// network is an internet with two resolvers and a time server, and the network part of a device's configuration.
type network struct {
	clk     *clock.Clock
	log     *evidence.Log
	zone    *dns.Zone
	servers []*dns.Server
	time    *ntp.Server
	cfg     Config
}

// newNetwork runs 50 times as fast as the wall.
func newNetwork(t *testing.T, defects ...string) *network {
	t.Helper()
	clk := clock.New(50)
	n := &network{clk: clk, log: evidence.NewLog(clk.Now, nil, false), zone: dns.NewZone()}
	w, err := internet.Open(internet.Config{Clock: clk, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	var told []netip.Addr
	for i := range 2 {
		at, err := w.Name(fmt.Sprintf("dns %d", i))
		if err != nil {
			t.Fatal(err)
		}
		udp, err1 := w.Servers.ListenPacket(netip.AddrPortFrom(at, 53))
		stray, err2 := w.Servers.ListenPacket(netip.AddrPortFrom(at, 5300))
		tcp, err3 := w.Servers.Listen(netip.AddrPortFrom(at, 53))
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		s := dns.New(dns.Options{Part: fmt.Sprint("dns ", i), Zone: n.zone, Clock: clk, Log: n.log, UDP: udp, TCP: tcp, Stray: stray})
		t.Cleanup(func() { s.Close() })
		n.servers, told = append(n.servers, s), append(told, at)
	}
	at, err := w.Name("ntp")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := w.Servers.ListenPacket(netip.AddrPortFrom(at, 123))
	if err != nil {
		t.Fatal(err)
	}
	n.time = ntp.New(ntp.Options{Part: "ntp", Clock: clk, Log: n.log, UDP: udp})
	t.Cleanup(func() { n.time.Close() })
	n.zone.Set("ntp.test", dns.Records{TTL: time.Minute, A: []netip.Addr{at}})
	n.zone.Set("one.test", dns.Records{TTL: time.Minute, A: []netip.Addr{good}})
	host, _, err := w.Home().Host("device")
	if err != nil {
		t.Fatal(err)
	}
	n.cfg = Config{
		ID: "t1", Clock: clk, Dial: host.DialContext, ListenPacket: host.ListenPacket, Resolvers: func() []netip.Addr { return told },
		Defects: map[string]bool{}, State: t.TempDir(), Out: func(string) {}, Built: clk.Now().Add(-60 * 24 * time.Hour),
	}
	for _, d := range defects {
		n.cfg.Defects[d] = true
	}
	return n
}

func (n *network) resolver() *resolver { return newResolver(&n.cfg, 7, n.clk.Passed) }

func (n *network) queries() (all []dns.Query) {
	for _, e := range n.log.Since(0) {
		if q, ok := dns.Asked(e); ok {
			all = append(all, q)
		}
	}
	return all
}

var (
	good   = netip.MustParseAddr("203.0.113.1")
	poison = netip.MustParseAddr("203.0.113.66")
)

func TestResolver(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*network)
		bad  bool
		most int // queries
	}{
		{"right", func(*network) {}, false, 1},
		{"first silent", func(n *network) { n.servers[0].Do(dns.Silent()) }, false, 2},
		{"both silent", func(n *network) { n.servers[0].Do(dns.Silent()); n.servers[1].Do(dns.Silent()) }, true, 4},
		{"first fails", func(n *network) { n.servers[0].Do(dns.ServFail()) }, false, 2},
		{"both fail", func(n *network) { n.servers[0].Do(dns.ServFail()); n.servers[1].Do(dns.Refused()) }, true, 2},
		{"no such name", func(n *network) { n.servers[0].Do(dns.NXDomain()) }, true, 1},
		{"truncated", func(n *network) { n.servers[0].Do(dns.Truncated()) }, false, 2},
		{"forged", func(n *network) { n.servers[0].Do(dns.Spoofed(poison, dns.Forgeries()...)) }, false, 1},
		{"malformed", func(n *network) { n.servers[0].Do(dns.Malformed(dns.PointerLoop)) }, false, 2},
		{"slow", func(n *network) { n.servers[0].Do(dns.Slow(2 * time.Second)) }, false, 2},
		{"chain", func(n *network) {
			for i := range 12 {
				n.zone.Set(fmt.Sprintf("a%d.test", i), dns.Records{TTL: time.Minute, CNAME: fmt.Sprintf("a%d.test", i+1)})
			}
			n.zone.Set("one.test", dns.Records{TTL: time.Minute, CNAME: "a0.test"})
			n.zone.Set("a12.test", dns.Records{TTL: time.Minute, A: []netip.Addr{good}})
		}, false, 1},
		{"loop", func(n *network) { n.zone.Set("one.test", dns.Records{CNAME: "one.test"}) }, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			tt.do(n)
			got, err := n.resolver().lookup(t.Context(), "One.test")
			if (err != nil) != tt.bad || !tt.bad && !slices.Equal(got, []netip.Addr{good}) {
				t.Errorf("got %v, %v", got, err)
			}
			if q := n.queries(); len(q) > tt.most {
				t.Errorf("%d queries, want at most %d: %v", len(q), tt.most, q)
			}
		})
	}
}

func TestResolverKeepsWhatItKnows(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	r := n.resolver()
	ask := func(want int, what string) {
		t.Helper()
		_, _ = r.lookup(t.Context(), "one.test")
		if got := len(n.queries()); got != want {
			t.Errorf("%s: %d queries, want %d", what, got, want)
		}
	}
	ask(1, "first")
	ask(1, "within the TTL")
	_ = n.clk.Sleep(t.Context(), 61*time.Second)
	n.zone.Set("one.test", dns.Records{A: []netip.Addr{good}}) // TTL 0
	ask(2, "after the TTL")
	ask(3, "TTL 0")
	heal := []func(){n.servers[0].Do(dns.NXDomain())}
	ask(4, "absent")
	ask(4, "absent, within the negative TTL")
	_ = n.clk.Sleep(t.Context(), dns.Negative+time.Second)
	heal[0]()
	n.servers[0].Do(dns.ServFail())
	n.servers[1].Do(dns.ServFail())
	ask(6, "failed")
	ask(6, "failed, at once again")
	_ = n.clk.Sleep(t.Context(), 6*time.Second)
	ask(8, "failed, later")
}

// Ids and ports cannot be foreseen.
func TestResolverIsUnpredictable(t *testing.T) {
	n := newNetwork(t)
	r := n.resolver()
	ids, ports := map[uint16]bool{}, map[uint16]bool{}
	for i := range 20 {
		if _, err := r.lookup(t.Context(), fmt.Sprintf("none%d.test", i)); !errors.Is(err, errNoName) {
			t.Fatal(err)
		}
	}
	for _, q := range n.queries() {
		ids[q.ID], ports[q.From.Port()] = true, true
	}
	if len(ids) < 19 || len(ports) < 19 {
		t.Errorf("%d ids and %d ports in 20 queries", len(ids), len(ports))
	}
}
