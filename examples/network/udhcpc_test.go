//go:build peers

package network

import (
	"net/netip"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/world/dhcp"
)

// It repeats itself after 5 s, which is long for a router that answers at once, and after 1 s where none answers.
const (
	udhcpc      = `busybox udhcpc -f -q -n -t 3 -T 5 -A 1 -i eth0 -s /etc/udhcpc/default.script`
	udhcpcTwice = `busybox udhcpc -f -q -n -t 2 -T 1 -A 1 -i eth0 -s /etc/udhcpc/default.script`
	udhcpcOnce  = `busybox udhcpc -f -q -n -t 1 -T 1 -A 1 -i eth0 -s /etc/udhcpc/default.script`
)

// A udhcpc that goes on, and tells what it calls its script for.
const udhcpcStays = watching + `
cat >told <<'end'
#!/bin/sh
echo script: $1 $ip
exec /etc/udhcpc/default.script "$1"
end
chmod +x told
start() { : >said; busybox udhcpc -f -A 1 -i eth0 -s $PWD/told "$@" >said 2>&1 & client=$!; }
stop() { kill $client 2>/dev/null; wait $client; echo "status $?"; }
finish() { stop; has; repeats <said; }
`

// told is what the script is told, all of it.
const udhcpcTold = `
cat >told <<'end'
#!/bin/sh
[ "$1" = bound ] && env | grep -vE '^(ROOT|LC_ALL|PATH|PWD|LD_|_|HOME|SHLVL|OLDPWD|[A-Z])' | sort
exit 0
end
chmod +x told
busybox udhcpc -f -q -n -t 3 -T 5 -i eth0 -s $PWD/told`

const (
	udhcpcRenews = udhcpcStays + `start -t 5 -T 5; says 1 'script: bound'; kill -USR1 $client; says 2 'script: (bound|renew)'; finish`
	udhcpcAgain  = udhcpcStays + `start -q -n -t 5 -T 4; wait $client; finish`
	udhcpcChecks = udhcpcStays + `start -q -n -a3000 -t 5 -T 5; wait $client; finish`
)

// Two stations, one after the other.
const anotherUdhcpc = `; ip link set eth0 down; ip link set eth0 address 02:03:00:00:00:99; ip link set eth0 up; ` + udhcpc

var udhcpcPeers = []peer{
	{name: "udhcpc", dhcp: true, script: udhcpc + afterwards},
	{name: "udhcpc-silence", dhcp: true, script: udhcpcTwice, arrange: leases(func(l *dhcp.Leases) { l.Silent = dhcp.Everything })},
	{name: "udhcpc-refused", dhcp: true, answers: true, script: udhcpcStays + `start -t 5 -T 5; says 1 'script: nak'; stop; has; repeats <said | sed '/script: nak/q'`, arrange: leases(refuse)},

	{name: "udhcpc-retry", dhcp: true, answers: true, script: udhcpcAgain, arrange: when(upTo(1, "DISCOVER"), unanswered("DISCOVER"))},
	{name: "udhcpc-no-ack", dhcp: true, answers: true, script: udhcpcAgain, arrange: when(upTo(1, "REQUEST"), unanswered("REQUEST"))},
	{name: "udhcpc-slow", dhcp: true, answers: true, script: strings.Replace(udhcpcAgain, "-T 4", "-T 3", 1), arrange: leases(sluggish)},
	{name: "udhcpc-full", dhcp: true, answers: true, script: udhcpcOnce, arrange: leases(full)},

	{name: "udhcpc-renew", dhcp: true, answers: true, script: udhcpcRenews, arrange: leases(unhurried)},
	{name: "udhcpc-rebind", dhcp: true, answers: true, script: udhcpcRenews, arrange: leases(unanswered("RENEW"))},
	{name: "udhcpc-renew-refused", dhcp: true, answers: true, script: udhcpcRenews, arrange: both(leases(unhurried), when(upTo(1, "RENEW"), refuse))},
	{name: "udhcpc-moved", dhcp: true, answers: true, script: udhcpcRenews, arrange: both(leases(unhurried), when(since(1, "RENEW"), elsewhere))},

	{name: "udhcpc-options", dhcp: true, answers: true, script: udhcpcTold + ` -O mtu -O ntpsrv -O domain -O staticroutes -O 58 -O 59`, arrange: leases(everyOption)},
	{name: "udhcpc-no-router", dhcp: true, answers: true, script: udhcpc + `; ip route`, arrange: leases(func(l *dhcp.Leases) { l.NoRouter = true })},
	{name: "udhcpc-infinite", dhcp: true, answers: true, script: udhcpc, arrange: leases(func(l *dhcp.Leases) { l.Lease = dhcp.Infinite })},
	{name: "udhcpc-never", dhcp: true, answers: true, script: udhcpc, arrange: leases(func(l *dhcp.Leases) { l.Lease = dhcp.Never })},

	{name: "udhcpc-conflict", dhcp: true, answers: true, script: udhcpcChecks, arrange: neighbour()},
	{name: "udhcpc-conflict-again", dhcp: true, answers: true, script: udhcpcChecks, arrange: neighbour(when(before(2, "DECLINE"), offerTaken))},
	{
		name: "udhcpc-leaves", dhcp: true, answers: true,
		// It knows where the router is before it leaves: busybox gives its address up right after the RELEASE, which then may still wait for that.
		script: udhcpcStays + `start -R -t 3 -T 5; says 1 'script: bound'; ping -c 1 -W 5 192.168.1.1 >/dev/null; finish` + anotherUdhcpc,
	},
	{name: "udhcpc-second-station", dhcp: true, answers: true, script: udhcpc + anotherUdhcpc},
	{name: "udhcpc-router-forgets", dhcp: true, answers: true, script: udhcpc + `; curl -sS -m 15 ` + page + anotherUdhcpc, arrange: rebooting},
}

// unhurried takes as long as a router does. An answer that comes while busybox still has the socket open from which it asked is lost there,
// since it listens on another.
func unhurried(l *dhcp.Leases) { l.Slow = time.Second }

// sluggish answers when a client that waits for 3 s has asked twice, and before it gives up after the third time. An older answer that comes
// at the moment when that client would ask again can have it wait for another second: busybox counts whole ones.
func sluggish(l *dhcp.Leases) { l.Slow = 6 * time.Second }

func everyOption(l *dhcp.Leases) {
	l.MTU, l.Domain, l.Lease, l.Renew, l.Rebind = 1400, "home.example", time.Hour, 10*time.Minute, 20*time.Minute
	l.Routes = []dhcp.Route{
		{To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("192.168.1.2")},
		{To: netip.MustParsePrefix("10.20.0.0/16"), Via: netip.MustParseAddr("192.168.1.3")},
	}
}
