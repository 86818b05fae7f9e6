//go:build peers

package network

import (
	"time"

	"github.com/shakedown-test/shakedown/world/dhcp"
)

const dhclient = `touch leases; timeout 20 dhclient -1 -4 -v -lf $PWD/leases -pf $PWD/pid -cf /dev/null eth0 2>&1 | grep -E "^(DHC|bound|No)"`

// A dhclient that goes on, and tells what it calls its script for. It repeats itself after 5 s, then after 2.5 s to 7.5 s.
const dhclientStays = watching + `
cat >told <<'end'
#!/bin/sh
[ "$reason" = PREINIT ] || echo "script: $reason $new_ip_address"
exec /sbin/dhclient-script
end
chmod +x told; touch leases
echo 'initial-interval 5; backoff-cutoff 5; timeout 30; retry 1; request subnet-mask, routers, domain-name-servers;' >conf
start() { : >said; dhclient -d -4 -v -lf $PWD/leases -pf $PWD/pid -cf $PWD/conf -sf $PWD/told "$@" eth0 >said 2>&1 & client=$!; }
tells() { grep -E '^(DHC|bound|[Nn]o |script)' said | sed -E 's/ interval .*//; s/ -- .*//; s/ \(xid=.*//' | repeats; }
stop() { { kill $1 $client; wait $client; } 2>/dev/null; }
finish() { stop; has; tells; }
`

// dhclientDebian has the configuration and the script of Debian, and shows what comes of what it was told.
const dhclientDebian = dhclientStays + `
cat >told <<'end'
#!/bin/sh
[ "$reason" != BOUND ] || env | grep ^new_ | grep -v expiry | sort
exec /sbin/dhclient-script
end
cp /etc/dhcp/dhclient.conf conf; start -1; says 1 '^bound'; stop; grep ^new_ said
has; ip route; ip link show eth0 | grep -oE 'mtu [0-9]+'; cat /etc/resolv.conf`

const (
	dhclientOnce = dhclientStays + `start -1; says 1 '^bound'; finish`
	dhclientOn   = dhclientStays + `start; says 2 '^bound'; finish`
	dhclientLong = dhclientStays + `start; says 2 '^bound'; stop; has; tells | sed 's/, again and again//'` // how often it asks is up to its dice
	// Stopped without a word, and started again with what it remembers.
	dhclientReboots = dhclientStays + `start; says 1 '^bound'; stop -KILL; start; says 1 '^bound'; finish`
	// Checks that nobody has the address, as the script of Red Hat does.
	dhclientChecks = ask + dhclientStays + `
cat >told <<'end'
#!/bin/sh
[ "$reason" = PREINIT ] || echo "script: $reason $new_ip_address"
[ "$reason" = BOUND ] && ! busybox arping -q -D -c 5 -w 5 -I eth0 $new_ip_address && echo "script: it is in use" && exit 1
exec /sbin/dhclient-script
end
start; order DECLINE; stop; has; tells | sed /DECLINE/q`
)

var dhclientPeers = []peer{
	{name: "dhclient-conflict", dhcp: true, answers: true, script: dhclientChecks, arrange: neighbour(awaited("DECLINE"))},
	{name: "dhclient", dhcp: true, script: dhclient + afterwards},
	{name: "dhclient-renew", dhcp: true, answers: true, script: dhclientOn, arrange: when(before(1, "RENEW"), short())},
	{name: "dhclient-refused", dhcp: true, answers: true, script: dhclientStays + `start; says 1 DHCPNAK; stop; has; tells | sed /DHCPNAK/q`, arrange: leases(refuse)},

	{name: "dhclient-silence", dhcp: true, answers: true, script: dhclientStays + `sed -i 's/timeout 30/timeout 1/' conf; start -1; wait $client; echo "status $?"; tells | sed 's/, again and again//'`, arrange: leases(unanswered(dhcp.Everything...))},
	{name: "dhclient-retry", dhcp: true, answers: true, script: dhclientOnce, arrange: when(upTo(1, "DISCOVER"), unanswered("DISCOVER"))},
	{name: "dhclient-no-ack", dhcp: true, answers: true, script: dhclientOnce, arrange: when(upTo(1, "REQUEST"), unanswered("REQUEST"))},

	{name: "dhclient-rebind", dhcp: true, answers: true, script: dhclientLong, arrange: when(before(1, "REBIND"), short("RENEW"))},
	{name: "dhclient-lost", dhcp: true, answers: true, script: dhclientLong, arrange: when(holding, short("RENEW", "REBIND"))},
	{name: "dhclient-renew-refused", dhcp: true, answers: true, script: dhclientOn, arrange: both(when(before(1, "RENEW"), short()), when(upTo(1, "RENEW"), refuse))},
	{name: "dhclient-moved", dhcp: true, answers: true, script: dhclientOn, arrange: both(when(before(1, "RENEW"), short()), when(since(1, "RENEW"), elsewhere))},

	{name: "dhclient-options", dhcp: true, answers: true, script: dhclientDebian, arrange: leases(everyOption)},
	{name: "dhclient-no-router", dhcp: true, answers: true, script: dhclientDebian, arrange: leases(func(l *dhcp.Leases) { l.NoRouter = true })},
	{name: "dhclient-infinite", dhcp: true, answers: true, script: dhclientOnce, arrange: leases(func(l *dhcp.Leases) { l.Lease = dhcp.Infinite })},
	{name: "dhclient-never", dhcp: true, answers: true, script: dhclientStays + `start -1; says 1 'DHCPOFFER.*rejected'; stop; has; tells | sed /rejected/q`, arrange: leases(func(l *dhcp.Leases) { l.Lease = dhcp.Never })},

	{name: "dhclient-reboots", dhcp: true, answers: true, script: dhclientReboots},
	{name: "dhclient-reboots-elsewhere", dhcp: true, answers: true, script: dhclientReboots, arrange: when(since(2, "REQUEST"), elsewhere)},
	{name: "dhclient-leaves", dhcp: true, answers: true, script: dhclientStays + `start; says 1 '^bound'; stop; dhclient -r -4 -v -lf $PWD/leases -pf $PWD/pid -sf $PWD/told eth0 >said 2>&1; has; tells`},
}

// holding holds until a client that had a lease begins anew.
func holding(came []string) bool {
	return count(came, "REBIND") == 0 || last(came) == "REBIND"
}

// short are leases that are over soon, with some messages unanswered: the client asks its router after 1 s, and all routers when it next
// does, 5 s later. They are given once, lest the client goes on while it is stopped.
func short(silent ...string) func(*dhcp.Leases) {
	return func(l *dhcp.Leases) {
		l.Renew, l.Rebind, l.Lease, l.Silent = 1*time.Second, 3*time.Second, 12*time.Second, silent
	}
}
