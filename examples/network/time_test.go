//go:build peers

package network

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	wire "github.com/shakedown-test/shakedown/wire/ntp"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// Debian's busybox has no ntpd, openntpd can only set a clock, which no program in a namespace may, and systemd-timesyncd wants systemd
// around it: these three are not tested.

// Programs say how wrong the clock is and leave it alone.
const chronyd = dated + `$ROOT/usr/sbin/chronyd -Q -t 15 -u root 'server pool.ntp.org iburst maxsamples 2' 'pidfile '$PWD/pid 2>&1 | grep -v version | dated`

// dated shows differences of more than 116 days as the date that was taken from what the server told, those of 1024 weeks as weeks, and others
// to the nearest 10 s: how long an answer is on its way is up to the machine.
const dated = `dated() { awk -v now=$(date +%s) '{ for (i = 1; i <= NF; i++) if ($i ~ /^[+-]?[0-9]+\.[0-9]+$/) {
		if ($i < 1e7 && $i > -1e7) { $i = sprintf("%d", 10 * sprintf("%.0f", $i / 10)); continue }
		weeks = sprintf("%.0f", $i / 604800); if (weeks == -1024) { $i = "[" weeks " weeks]"; continue }
		("date -u -d @" sprintf("%.0f", now + $i) " +%F") | getline day; $i = "[to " day "]" } print }' | uniq; }
	`

// told is a way of telling the time, under the name of its own server.
type told struct {
	name string
	how  func(now time.Time) ntp.Behaviour
}

func always(b ntp.Behaviour) func(time.Time) ntp.Behaviour {
	return func(time.Time) ntp.Behaviour { return b }
}

// date tells a time of that day.
func date(year int, month time.Month, day int) func(time.Time) ntp.Behaviour {
	at := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	return func(now time.Time) ntp.Behaviour { return ntp.Offset(at.Sub(now)) }
}

var timePeers = []peer{
	{name: "time-pool", script: chronyd},
	clients("time-told", []told{
		{"right", always(ntp.Right())},
		{"hour-ahead", always(ntp.Offset(time.Hour))},
		{"hour-behind", always(ntp.Offset(-time.Hour))},
		{"weeks-behind", always(ntp.WeekRollover())},
		{"era-1", date(2036, time.February, 7)},     // the timestamps of RFC 5905 begin anew at 06:28:16
		{"past-2038", date(2038, time.January, 19)}, // a time_t of 32 bits ends at 03:14:07
		{"late", always(ntp.Late(100 * time.Millisecond))},
		{"too-late", always(ntp.Late(time.Minute))},
		{"never", always(ntp.Silent())},
	}),
	clients("time-kisses", []told{
		{"rate", always(ntp.Kiss("RATE"))},
		{"deny", always(ntp.Kiss("DENY"))},
		{"rstr", always(ntp.Kiss("RSTR"))},
		{"leap-61", always(ntp.Leap(wire.Leap61))},
		{"leap-59", always(ntp.Leap(wire.Leap59))},
	}),
	clients("time-faults", []told{
		{"originate", fault(ntp.WrongOriginate)},
		{"mode", fault(ntp.ClientMode)},
		{"stratum", fault(ntp.StratumZero)},
		{"transmit", fault(ntp.NoTransmit)},
		{"short", fault(ntp.Short)},
		{"unsynchronised", fault(ntp.Unsynchronised)},
	}),
}

func fault(f ntp.Fault) func(time.Time) ntp.Behaviour { return always(ntp.Faulty(f, time.Hour)) }

// clients have three programs ask each of the servers, all at once.
func clients(name string, all []told) peer {
	var names []string
	for _, s := range all {
		names = append(names, s.name)
	}
	script := dated + `for s in ` + strings.Join(names, " ") + `; do
		($ROOT/usr/sbin/chronyd -Q -t 20 -u root "server $s.ntp.example iburst maxsamples 1" "pidfile $PWD/$s.pid" 2>&1 | grep -oE 'System clock.*|Received KoD.*|Timeout.*|No suitable.*' | dated >$s.chronyd) &
		(timeout 14 rdate -n -p -v $s.ntp.example 2>&1 | grep -v ^[A-Z] | sed 's/^rdate: //' | dated >$s.rdate) &
		(ntpdig -t 8 $s.ntp.example 2>&1 | sed 's/^ntpdig: //' | dated | sed '/ \(originate\|transmit\)\./s/\[to [^]]*]/[far off]/g' >$s.ntpdig) &
	done; wait
	for s in ` + strings.Join(names, " ") + `; do echo $s; for p in chronyd rdate ntpdig; do sed "s/^/  $p: /" $s.$p; done; done`
	return peer{name: name, script: script, arrange: func(t *testing.T, b *testbed.Bed, _ string) {
		for _, s := range all {
			at, err := b.World.Name(s.name + ".ntp.example")
			if err != nil {
				t.Fatal(err)
			}
			b.DNS.Zone.Set(s.name+".ntp.example", dns.Records{TTL: testbed.NameTTL, A: []netip.Addr{at}})
			udp, err := b.World.Servers.ListenPacket(netip.AddrPortFrom(at, 123))
			if err != nil {
				t.Fatal(err)
			}
			server := ntp.New(ntp.Options{Part: s.name, Clock: b.Clock, Log: b.Log, UDP: udp})
			t.Cleanup(func() { server.Close() })
			server.Do(s.how(b.Clock.Now()))
		}
	}}
}
