//go:build peers

package network

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// What scripts do with the gateway: open asks it to open a port for a lease, any takes another port if it must, list shows what is open,
// and shut closes it. All but find know where it is. At 8080 the device serves whoever comes; reach asks from outside.
const igd = ask + `said() { grep -E 'redirected|UPNP_DeletePortMapping|ailed|IGD|No valid' | grep -v GetLinkLayer | sed -E '/redirected/s/:([0-9]+ )/ port \1/g'; }
	igd() { upnpc -u http://192.168.1.1:5000/description.xml "$@" 2>&1; }
	find() { upnpc -m eth0 -l 2>&1 | grep -E 'IGD|No valid|ExternalIP|Status|error'; }
	open() { igd -a 192.168.1.10 8080 8080 TCP $1 | said; }
	any() { igd -n 192.168.1.10 8080 8080 TCP $1 | said; }
	list() { igd -l | grep -E '^ *[0-9]+ (TCP|UDP) ' | sed -E "s/'' 0$/for ever/;s/'' [0-9]+$/for a while/" | grep . || echo nothing is open; }
	shut() { igd -d 8080 TCP | said; }
	reach() { n=$((${n:-5000}+1)); tcp $A:3478 $n call ${1:-8080}; }
	device
	trap 'kill $device' EXIT
	`

const (
	mapped   = igd + `find; reach; open 120; list; reach; shut; list; reach`
	anyPort  = igd + `any 120; igd -n 192.168.1.10 22 8080 TCP 120 | said; list; reach`
	refused  = igd + `open 120; list; reach`
	forever  = igd + `open 120; open 0; list; reach`
	shifted  = igd + `open 120; list; reach 8080; reach 8180`
	leased   = igd + `open 6; sleep 9; echo after its lease; list; reach`
	stays    = igd + `open 1; list; sleep 2; echo after its lease; list; reach`
	cut      = igd + `open 4000; list; reach; echo shorter; open 24; sleep 9; list; reach`
	forgets  = igd + `open 0; reach; order lose; echo afterwards; list; reach; open 0; reach`
	foreign  = igd + `igd -a 192.168.1.99 8080 8080 TCP 120 | said; list`
	version1 = igd + `find; any 120; list; open 120; list; reach`
	announce = ask + `socat -u UDP4-RECV:1900,ip-add-membership=239.255.255.250:eth0 - >heard & until ip maddress show eth0 | grep -q 239.255.255.250; do sleep 0.05; done
		order announce; until grep -q 'USN.*WANIPConnection:2' heard; do sleep 0.05; done; kill $!; tr -d '\r' <heard | grep -E '^(NOTIFY|NT|NTS|LOCATION|USN):?' | sort | uniq -c`
)

var gatewayPeers = []peer{
	{name: "igd", script: mapped, arrange: gateway(nil)},
	{name: "igd-any-port", script: anyPort, arrange: gateway(nil)},
	{name: "igd-absent", script: igd + `find`, arrange: gateway(func(b *upnp.Behaviour) { b.Absent = true })},
	{name: "igd-version-1", script: version1, arrange: gateway(func(b *upnp.Behaviour) { b.Version1 = true })},
	{name: "igd-refuses-conflict", script: refused, arrange: gateway(func(b *upnp.Behaviour) { b.Refuse = upnp.Conflict })},
	{name: "igd-refuses-not-authorised", script: refused, arrange: gateway(func(b *upnp.Behaviour) { b.Refuse = upnp.NotAuthorized })},
	{name: "igd-refuses-failed", script: refused, arrange: gateway(func(b *upnp.Behaviour) { b.Refuse = upnp.ActionFailed })},
	{name: "igd-for-another", script: foreign, arrange: gateway(nil)},
	{name: "igd-permanent-only", script: forever, arrange: gateway(func(b *upnp.Behaviour) { b.PermanentOnly = true })},
	{name: "igd-another-port", script: shifted, arrange: gateway(func(b *upnp.Behaviour) { b.Shift = 100 })},
	{name: "igd-lease", script: leased, arrange: gateway(nil)},
	{name: "igd-lease-ignored", script: stays, arrange: gateway(func(b *upnp.Behaviour) { b.Lease = upnp.Ignored })},
	{name: "igd-lease-zeroed", script: stays, arrange: gateway(func(b *upnp.Behaviour) { b.Lease = upnp.Zeroed })},
	{name: "igd-lease-cut", script: cut, arrange: gateway(func(b *upnp.Behaviour) { b.Lease = upnp.Cut })},
	{name: "igd-slow", script: igd + `open 120; reach`, arrange: gateway(func(b *upnp.Behaviour) { b.Slow = time.Second })},
	{name: "igd-location-refused", script: igd + `find`, arrange: gateway(func(b *upnp.Behaviour) { b.Location = "http://192.168.1.1:49152/description.xml" })},
	{name: "igd-location-nowhere", script: igd + `find`, arrange: gateway(func(b *upnp.Behaviour) { b.Location = "http://192.168.1.99:5000/description.xml" })},
	{name: "igd-location-https", script: igd + `find`, arrange: gateway(func(b *upnp.Behaviour) { b.Location = "https://192.168.1.1:5000/description.xml" })},
	{name: "igd-garbage", script: igd + `find`, arrange: gateway(func(b *upnp.Behaviour) { b.Garbage = true })},
	{name: "igd-forgets", script: forgets, arrange: losing(func(_ *testbed.Bed, g *upnp.Gateway) { g.Forget() })},
	{name: "igd-reboots", script: forgets, arrange: losing(func(b *testbed.Bed, _ *upnp.Gateway) { b.World.Home().Router.Reboot()() })},
	{name: "igd-announces", script: announce, arrange: func(t *testing.T, b *testbed.Bed, dir string) {
		g := openGateway(t, b)
		obey(t, dir, map[string]func(){"announce": g.Announce})
	}},
}

// openGateway has the router of the home network open ports.
func openGateway(t *testing.T, b *testbed.Bed) *upnp.Gateway {
	t.Helper()
	g, err := b.Gateway()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// gateway has the router of the home network open ports, behaving like that.
func gateway(change func(*upnp.Behaviour)) arrange {
	return func(t *testing.T, b *testbed.Bed, _ string) {
		reflect(t, b.World)
		if g := openGateway(t, b); change != nil {
			g.Set(change)
		}
	}
}

// losing has it lose what it opened, when that is ordered.
func losing(how func(*testbed.Bed, *upnp.Gateway)) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		reflect(t, b.World)
		g := openGateway(t, b)
		obey(t, dir, map[string]func(){"lose": func() { how(b, g) }})
	}
}
