package network

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// What they got, and whether it works.
const afterwards = `; echo "status $?"; ip -4 -o address show eth0 | grep -o 'inet [^ ]*'; ip route; cat /etc/resolv.conf; curl -s -m 5 http://hello.example/`

const (
	udhcpc   = `busybox udhcpc -f -q -n -t 3 -T 1 -A 1 -i eth0 -s /etc/udhcpc/default.script`
	dhclient = `touch leases; timeout 5 dhclient -1 -4 -v -lf $PWD/leases -pf $PWD/pid -cf /dev/null eth0 2>&1 | grep -E "^(DHC|bound|No)"`
)

// renewing is dhclient for longer than half of a lease of four seconds.
const renewing = `touch leases; timeout 5 dhclient -d -4 -v -lf $PWD/leases -pf $PWD/pid -cf /dev/null eth0 2>&1 | grep -E "^(DHC|bound|No)" | sed 's/ -- .*//' | sort -u
	ip -4 -o address show eth0 | grep -o 'inet [^ ]*'`

var addressPeers = []peer{
	{name: "udhcpc", dhcp: true, script: udhcpc + afterwards},
	{name: "udhcpc-silence", dhcp: true, script: udhcpc, arrange: leases(func(l *dhcp.Leases) { l.Silent = dhcp.Everything })},
	{name: "udhcpc-refused", dhcp: true, script: `timeout 5 ` + udhcpc + ` 2>&1 | sort -u`, arrange: leases(func(l *dhcp.Leases) { l.Refuse = true })},
	{name: "dhclient", dhcp: true, script: dhclient + afterwards},
	{name: "dhclient-renew", dhcp: true, script: renewing, arrange: leases(func(l *dhcp.Leases) { l.Lease = 4 * time.Second })},
	{name: "dhclient-refused", dhcp: true, script: dhclient + ` | sort -u`, arrange: leases(func(l *dhcp.Leases) { l.Refuse = true })},
}

func leases(change func(*dhcp.Leases)) arrange {
	return func(_ *testing.T, b *testbed.Bed, _ string) { b.Impair(b.DHCP.Set(change)) }
}
