//go:build peers

package network

import (
	"net/netip"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dhcp"
	"github.com/shakedown-test/shakedown/world/web"
)

// What they got, and whether it works.
const afterwards = `; echo "status $?"; ip -4 -o address show eth0 | grep -o 'inet [^ ]*'; ip route; cat /etc/resolv.conf; curl -s -m 15 http://hello.example/`

// watching is for scripts that act on what a client says in the file "said". A line that comes more than once is told as that, since
// how often depends on the load of the machine.
const watching = `
says() { # N TEXT: waits until the client has said that N times
	tries=0
	until [ "$(grep -cE "$2" said)" -ge "$1" ]; do
		tries=$((tries + 1)); [ $tries -lt 600 ] || { echo "never: $2"; break; }
		sleep 0.1
	done
}
repeats() { uniq -c | sed -E 's/^ +1 //; s/^ +[0-9]+ (.*)/\1, again and again/'; }
has() { ip -4 -o address show eth0 | grep -o 'inet [^ ]*'; }
`

var addressPeers = []peer{
	{name: "dhcping-inform", script: `dhcping -v -i -c 192.168.1.10 -h 02:03:00:00:00:01 -s 192.168.1.1 -t 15`, answers: true},
	{name: "dhcping-inform-silence", script: `dhcping -v -i -c 192.168.1.10 -h 02:03:00:00:00:01 -s 192.168.1.1 -t 1`, arrange: leases(unanswered("INFORM"))},
}

// leases changes what is leased, or how.
func leases(change func(*dhcp.Leases)) arrange {
	return func(_ *testing.T, b *testbed.Bed, _ string) { b.Impair(b.DHCP.Set(change)) }
}

// when changes what is leased when the kinds of the messages that came are as holds says; the last is the one that is being answered.
func when(holds func(came []string) bool, change func(*dhcp.Leases)) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		leases(func(l *dhcp.Leases) {
			var came []string
			for _, e := range b.Log.Since(0) {
				if m, ok := e.Data.(dhcp.Message); ok && e.Kind == evidence.In {
					came = append(came, m.Kind())
				}
			}
			if holds(came) {
				change(l)
			}
		})(t, b, dir)
	}
}

// upTo holds for the first n messages of a kind, and for no other.
func upTo(n int, kind string) func([]string) bool {
	return func(came []string) bool { return last(came) == kind && count(came, kind) <= n }
}

// since holds from the n-th message of a kind on, for all.
func since(n int, kind string) func([]string) bool {
	return func(came []string) bool { return count(came, kind) >= n }
}

// before holds until the n-th message of a kind came.
func before(n int, kind string) func([]string) bool {
	return func(came []string) bool { return count(came, kind) < n }
}

func last(came []string) string { return came[len(came)-1] }

func count(came []string, kind string) (n int) {
	for _, k := range came {
		if k == kind {
			n++
		}
	}
	return n
}

func unanswered(kinds ...string) func(*dhcp.Leases) {
	return func(l *dhcp.Leases) { l.Silent = kinds }
}

func refuse(l *dhcp.Leases) { l.Refuse = true }

// elsewhere leases other addresses than before.
func elsewhere(l *dhcp.Leases) { l.First = netip.MustParseAddr("192.168.1.150") }

// offerTaken has every client offered the address of the neighbour.
func offerTaken(l *dhcp.Leases) { l.Offer = netip.MustParseAddr("192.168.1.100") }

// full has no address for anybody: the only one is the router's.
func full(l *dhcp.Leases) { l.First, l.Count = l.Router.Addr(), 1 }

// neighbour has an address that the server leases, which it does not know.
func neighbour(also ...arrange) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		h, _, err := b.World.Home().BareHost("neighbour")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Add(netip.MustParsePrefix("192.168.1.100/24")); err != nil {
			t.Fatal(err)
		}
		for _, a := range also {
			a(t, b, dir)
		}
	}
}

// rebooting has the router forget its leases whenever a page is asked for.
func rebooting(t *testing.T, b *testbed.Bed, dir string) {
	api(func(*web.Request) web.Response {
		b.DHCP.Forget()
		return web.Response{Status: 200, Type: "text/plain", Body: []byte("the router has rebooted\n")}
	})(t, b, dir)
}

func both(first, second arrange) arrange {
	return func(t *testing.T, b *testbed.Bed, dir string) {
		first(t, b, dir)
		second(t, b, dir)
	}
}
