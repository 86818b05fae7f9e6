//go:build peers

package network

import (
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/clock"
)

const (
	// From one port to two ports of a peer and to another peer (RFC 4787, section 4.1; RFC 5382, section 4.1).
	mapping = ask + `for how in udp tcp; do echo $how; $how $A:3478 5000 who; $how $A:3479 5000 who; $how $B:3478 5000 who; done`

	// Who may answer one that was asked (RFC 4787, section 5).
	filtering = ask + `printf all | socat -t 5 - UDP4-DATAGRAM:$A:3478,bind=:5000 | sort`

	// An answer that comes after a while.
	udpLater = ask + `printf 'later 6' | socat -t 8 - UDP:$A:3478,sourceport=5000; echo anew:; udp $A:3478 5000 who`
	udpKept  = ask + `(printf 'later 8'; for n in 1 2 3 4 5 6 7 8; do sleep 1; printf keep; done) | socat -t 5 - UDP:$A:3478,sourceport=5000,readbytes=192`

	// A connection that nothing passes for 6 s, and another after it.
	tcpIdle = ask + `(echo who; sleep 6; echo who; sleep 3) | socat -d -d -t 1 - TCP:$A:3478,sourceport=5000 2>&1 | sed '/ N /d;s/.* [EW] .*: //'; echo anew:; tcp $A:3478 5001 who`

	// An answer that comes 6 s after our side was closed.
	tcpClosing = ask + `wait=10; tcp $A:3478 5000 later 6`

	// The device's own service, called from outside and by its outer address.
	called = ask + `device; tcp $A:3478 5000 call 8080; order open
		tcp $A:3478 5001 call 8080; socat -t 5 -u TCP:198.51.100.10:8080,connect-timeout=5 - 2>&1 | sed 's/.*: //'; kill $device`
)

var natPeers = []peer{
	{name: "nat-endpoint-independent", script: mapping, arrange: translates(internet.NAT{})},
	{name: "nat-address-dependent", script: mapping, arrange: translates(internet.NAT{Mapping: internet.AddressDependent})},
	{name: "nat-address-and-port-dependent", script: mapping, arrange: translates(internet.NAT{Mapping: internet.AddressAndPortDependent})},
	{name: "nat-ports-of-its-own", script: mapping, arrange: translates(internet.NAT{NoPreserve: true})},
	{name: "nat-off", script: mapping, arrange: translates(internet.NAT{Off: true})},
	{name: "nat-filter-open", script: filtering, arrange: translates(internet.NAT{Filtering: as(internet.EndpointIndependent)})},
	{name: "nat-filter-address", script: filtering, arrange: translates(internet.NAT{Filtering: as(internet.AddressDependent)})},
	{name: "nat-filter-address-and-port", script: filtering, arrange: translates(internet.NAT{})},
	{name: "nat-udp-forgotten", script: udpLater, arrange: translates(internet.NAT{UDP: 2 * time.Second, NoPreserve: true})},
	{name: "nat-udp-kept", script: udpKept, arrange: translates(internet.NAT{UDP: 5 * time.Second, NoPreserve: true})},
	{name: "nat-tcp-remembered", script: tcpIdle, arrange: translates(internet.NAT{NoPreserve: true})},
	{name: "nat-tcp-dropped", script: tcpIdle, arrange: translates(internet.NAT{TCP: 2 * time.Second, NoPreserve: true})},
	{name: "nat-tcp-reset", script: tcpIdle, arrange: translates(internet.NAT{TCP: 2 * time.Second, NoPreserve: true, Lost: internet.WithRST})},
	{name: "nat-tcp-remapped", script: tcpIdle, arrange: translates(internet.NAT{TCP: 2 * time.Second, NoPreserve: true, Lost: internet.Remapped})},
	{name: "nat-tcp-closing", script: tcpClosing, arrange: translates(internet.NAT{})},
	{name: "nat-tcp-closing-brief", script: tcpClosing, arrange: translates(internet.NAT{Brief: 2 * time.Second})},
	{name: "nat-full", script: ask + `wait=5; udp $A:3478 5001 who; udp $A:3478 5002 who; udp $A:3478 5003 who; echo the last has no answer`, arrange: translates(internet.NAT{Size: 2})},
	{name: "nat-port-open", script: called, arrange: opens(internet.NAT{})},
	{name: "nat-hairpin", script: called, arrange: opens(internet.NAT{Hairpin: true})},
	{name: "router-pinged", script: pings, arrange: reflected(nil)},
	{name: "router-forgets", script: life + `held forget; echo anew:; udp $A:3478 5000 who`, arrange: reflected(changing)},
	{name: "router-moves", script: life + `held move; echo anew:; udp $A:3478 5000 who`, arrange: reflected(changing)},
	{name: "router-reboots", script: reboots, arrange: reflected(changing)},
	{name: "router-cut-off", script: cutOff, arrange: reflected(changing)},
	{name: "router-renumbers", script: renumbers, arrange: reflected(changing)},
	{name: "router-replaced", script: replaced, arrange: reflected(changing)},
}

// translates has the router of the home network translate like that.
func translates(n internet.NAT) arrange {
	return func(t *testing.T, b *testbed.Bed, _ string) {
		b.World.Home().Router.Translate(n)
		reflect(t, b.World)
		if n.Off { // the backbone has to know the way back
			b.World.Readdress(b.World.Home(), b.World.Home().Router.WAN())
		}
	}
}

func as(b internet.Behaviour) *internet.Behaviour { return &b }

// opens opens a port when it is ordered.
func opens(n internet.NAT) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		translates(n)(t, b, dir)
		obey(t, dir, map[string]func(){"open": func() { openPort(b.World.Home().Router) }})
	}
}

func openPort(r *internet.Router) {
	r.Open(internet.Forward{Protocol: internet.TCP, Port: 8080, To: netip.MustParseAddrPort("192.168.1.10:8080")})
}

// life is what scripts say of a router. Held asks for an answer that comes after 5 s; what is ordered meanwhile loses the mapping that
// the answer needs.
const life = ask + `heard() { ping -c 1 -W ${wait:-5} $1 | grep -oE 'bytes from [0-9.]+|From .*(Unreachable|exceeded)|100% packet loss'; }
	held() { echo "held: $*"; >held; (printf 'later 5'; until [ -s held ]; do sleep 0.05; done; for o in $*; do order $o; done) |
		socat -t 8 - UDP:$A:3478,sourceport=5000,readbytes=192 >held; cat held; }
	`

const (
	pings     = life + `heard 192.168.1.1; heard $A; ping -c 1 -W 5 -t 1 $A | grep -o 'From.*'`
	reboots   = life + `held reboot up; order reboot; echo down; wait=3 udp $A:3478 5000 who; wait=1 heard 192.168.1.1; order up; echo up; heard 192.168.1.1; udp $A:3478 5000 who`
	cutOff    = life + `order cut; heard $A; heard 192.168.1.1; tcp $A:3478 5000 who | sed 's/.*: //'; order mend; heard $A; tcp $A:3478 5001 who`
	renumbers = life + `order renumber; wait=1 heard 192.168.1.1; ip address add 192.168.7.10/24 dev eth0; ip route replace default via 192.168.7.1
		heard 192.168.7.1; udp $A:3478 5000 who`
)

// Another router in its place. A neighbour that sends to the old one is not heard, until the new one makes itself known. Linux asks anew
// for whom it does not hear after 5 s, and before that gives up on whom it never heard after 3 s.
const replaced = ask + `seen() { ping -c 1 -W ${wait:-5} 192.168.1.1 | grep -oE '[0-9]+% packet loss'; ip neigh show 192.168.1.1 | grep -oE 'lladdr [0-9a-f:]+'; }
	seen; echo replaced; order replace; wait=1 seen; echo announced; order announce; seen`

func changing(t *testing.T, b *testbed.Bed) map[string]func() {
	home := b.World.Home()
	var undo func()
	return map[string]func(){
		"forget":   home.Router.Forget,
		"move":     func() { b.World.Readdress(home, netip.MustParseAddr("198.51.100.77")) },
		"reboot":   func() { undo = home.Router.Reboot() },
		"up":       func() { undo() },
		"cut":      func() { undo = home.Router.CutOff() },
		"mend":     func() { undo() },
		"replace":  func() { home.Router.Replace([6]byte{2, 1, 2, 3, 4, 5}) },
		"announce": home.Router.Announce,
		"renumber": func() {
			if _, err := b.World.Renumber(home, netip.MustParsePrefix("192.168.7.1/24")); err != nil {
				t.Error(err)
			}
		},
	}
}

// TestCarrier has the home router behind the NAT of a carrier: the port that it opens is open to the carrier's network only.
func TestCarrier(t *testing.T) {
	t.Parallel()
	if err := join.Available(); err != nil {
		t.Fatal(err)
	}
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	t.Cleanup(func() { log.Close() })
	w, err := internet.Open(internet.Config{Clock: clk, Log: log, Seed: 1, Networks: []internet.Network{
		{Name: "carrier", Prefix: netip.MustParsePrefix("100.64.0.1/10"), NAT: internet.NAT{Mapping: internet.AddressAndPortDependent, NoPreserve: true}},
		{Name: "home", Prefix: netip.MustParsePrefix("192.168.1.1/24"), Behind: "carrier"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	reflect(t, w)
	home, dir := w.Segment("home"), t.TempDir()
	obey(t, dir, map[string]func(){"open": func() { openPort(home.Router) }})
	place := join.Place{Link: home.Station("device"), Addresses: []netip.Prefix{home.Address()}, Routers: []netip.Addr{home.Router.LAN().Addr()}}
	compare(t, "nat-carrier", "the home router is "+home.Router.WAN().String()+"\n"+run(t, log, place, dir, mapping+"\n"+called))
}
