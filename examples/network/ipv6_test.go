//go:build peers

package network

import (
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/testbed"
)

var (
	homePrefix  = netip.MustParsePrefix("2001:db8:1::/64")
	otherPrefix = netip.MustParsePrefix("2001:db8:2::/64")
)

// six is what scripts say of IPv6: has waits for an address of a prefix, state shows what the kernel made of advertisements.
const six = ask + `has() { until ip -6 -o address show dev eth0 -tentative scope global | grep -q " $1"; do sleep 0.1; done; }
	state() { ip -6 -o address show dev eth0 scope global | sed -E 's/ *\\ */ /;s/^[0-9]+: +//;s/ mngtmpaddr//;s/deprecated/not preferred/;s/ (valid_lft|preferred_lft) [1-9][0-9]*sec/ \1 some/g' | sort; ip -6 route show default | sed -E 's/ expires .*//'; }
	`

const (
	slaac = six + `has 2001:db8:1:; state; rdisc6 -1 -w 5000 -q eth0; rdisc6 -1 -w 5000 eth0 | grep -vE '^(Solic| from)'; ping -6 -c 1 -W 5 2001:db8:1::1 | grep -o 'bytes from [0-9a-f:]*'
		tcp $SIX:3478 5000 who; udp $SIX:3478 5000 who`

	// RFC 4862, section 5.5.3: a prefix that is withdrawn is deprecated at once, and kept for two hours.
	withdrawn = six + `has 2001:db8:1:; tcp $SIX:3478 5000 who; echo withdrawn; order withdraw; while ip -6 route show default | grep -q via; do sleep 0.1; done; state
		ip -6 -o address show dev eth0 scope global | grep -oE 'valid_lft (71[89][0-9]|7200)sec' | sed 's/7.*/two hours/'; tcp $SIX:3478 5001 who | sed 's/.*: //'
		echo back; order back; until ip -6 route show default | grep -q via; do sleep 0.1; done; tcp $SIX:3478 5002 who`

	// RFC 8978: after a router got another prefix without saying that the old one is gone, hosts have both.
	renumbered = six + `has 2001:db8:1:; tcp $SIX:3478 5000 who; echo changed; order change; has 2001:db8:2:; state
		mac=$(ip -6 -o address show dev eth0 scope link | grep -oE 'fe80::[^/]*' | sed 's/fe80:://')
		from() { echo "from the prefix $1"; echo who | socat -t 5 - TCP6:$SIX:3478,bind=[2001:db8:$1:0:$mac]:6000,connect-timeout=$2 2>&1 | sed 's/.*: //'; }
		from 2 5; from 1 1`

	// RFC 4861, section 7.3.3: after 5 s Linux asks a router that it sends to whether it is still there, and whether it still is one.
	probed = six + `has 2001:db8:1:; tcp $SIX:3478 5000 who; until ip -6 neigh show fe80::1 dev eth0 | grep -q REACHABLE; do sleep 0.1; done
		ip -6 neigh show fe80::1 dev eth0 | grep -o router; state; tcp $SIX:3478 5001 who`

	firewall = six + `has 2001:db8:1:; device6; tcp $SIX:3478 5000 call 8080
		order open; tcp $SIX:3478 5001 call 8080; kill $device`

	silent = six + `until ip -6 -o address show dev eth0 -tentative scope link | grep -q fe80; do sleep 0.1; done; rdisc6 -1 -r 2 -w 500 eth0 2>&1 | tail -2; state; socat - TCP6:$SIX:3478,connect-timeout=5 2>&1 </dev/null | sed 's/.*: //'`

	// RFC 6146, 6147 and, for the prefix, 7050. The device has a resolver by RFC 8106.
	only6 = six + `has 2001:db8:64:; rdisc6 -1 -w 5000 eth0 | sed -n 's/.*DNS server *: */nameserver /p' >/etc/resolv.conf; cat /etc/resolv.conf; state; ip -4 -o address show dev eth0
		getent ahostsv6 hello.example | cut -d' ' -f1 | uniq; dig +short AAAA ipv4only.arpa | sort; curl -sS -m 15 http://hello.example/; curl -4 -sS -m 10 http://hello.example/ 2>&1 | sed 's/after.*ms//'
		ping -6 -c 1 -W 5 64:ff9b::203.0.113.100 | grep -oE 'bytes from .*: icmp'; udp [64:ff9b::203.0.113.100]:3478 5000 who; tcp [64:ff9b::203.0.113.100]:3478 5000 who
		udp [64:ff9b::203.0.113.200]:3478 5000 who; socat - TCP6:[64:ff9b::203.0.113.100]:81,connect-timeout=10 </dev/null 2>&1 | sed 's/.*: //'; curl -sS -m 10 -4 http://203.0.113.100:3478/ 2>&1 | sed 's/after.*ms//'`
)

var sixPeers = []peer{
	{name: "ipv6-slaac", script: slaac, arrange: delegated(nil)},
	{name: "ipv6-withdrawn", script: withdrawn, arrange: delegated(sixOrders)},
	{name: "ipv6-prefix-change", script: renumbered, arrange: delegated(sixOrders)},
	{name: "ipv6-router-probed", script: probed, arrange: delegated(nil)},
	{name: "ipv6-firewall", script: firewall, arrange: delegated(sixOrders)},
	{name: "ipv6-silent", script: silent, arrange: delegated(func(_ *testing.T, b *testbed.Bed) map[string]func() {
		b.World.Home().Router.Advertise(nil)
		return nil
	})},
	{name: "ipv6-only", dhcp: true, script: only6, arrange: func(t *testing.T, b *testbed.Bed, _ string) {
		reflect(t, b.World)
		if _, err := b.OnlyIPv6(netip.MustParsePrefix("2001:db8:64::/64")); err != nil {
			t.Fatal(err)
		}
	}},
}

// delegated has the home network advertise a prefix.
func delegated(orders func(*testing.T, *testbed.Bed) map[string]func()) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		if err := b.World.Delegate(b.World.Home(), homePrefix); err != nil {
			t.Fatal(err)
		}
		reflected(orders)(t, b, dir)
	}
}

func sixOrders(t *testing.T, b *testbed.Bed) map[string]func() {
	router := b.World.Home().Router
	var undo func()
	return map[string]func(){
		"withdraw": func() { undo = router.Advertise(&internet.Advertisement{Prefix: homePrefix, Every: time.Hour}) },
		"back":     func() { undo() },
		"open":     func() { router.Firewall(true) },
		"change": func() {
			if err := b.World.Delegate(b.World.Home(), otherPrefix); err != nil {
				t.Error(err)
			}
		},
	}
}
