//go:build peers

package network

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
)

// asking is for scripts that ask the first resolver with dig, without what differs from run to run.
const asking = `
ask() { dig @192.168.1.1 +tries=1 +time=10 +nocmd +nostats +noquestion "$@" | sed -E 's/, id: [0-9]+//; s/ID [0-9]+, got [0-9]+/ID N, got another/; /^(;; (OPT PSEUDO|Got answer).*|; EDNS.*|)$/d'; }
`

// looking is for scripts that have the C library resolve a name. It asks another resolver after 5 s, or sooner where one does not answer.
const (
	looking = `
echo 'options timeout:5 attempts:2' >>/etc/resolv.conf
addresses() { out=$(getent ahosts "$1"); code=$?; echo "$out" | grep STREAM; echo "status $code"; }
fetch() { curl -sS -m 20 "$1" 2>&1; }
resolve() { wget -O /dev/null -t 1 "http://$1/" 2>&1 | grep -oE 'failed: .*'; }
`
	lookingBriefly = looking + `sed -i s/timeout:5/timeout:3/ /etc/resolv.conf; `
)

// onSix is for scripts that wait until the kernel has an IPv6 address and a router.
const onSix = `
until ip -6 route show default | grep -q via && ip -6 -o address show eth0 scope global -tentative | grep -q inet6; do sleep 0.1; done
`

// caching is for scripts that ask dnsmasq, the resolver of many routers, which asks the first resolver.
const caching = asking + `
dnsmasq -k -u root -C /dev/null -R -S 192.168.1.1 -h -p 5353 -x $PWD/pid --log-queries --log-facility=$PWD/log "$@" & cache=$!
until [ -s log ] && dig @127.0.0.1 -p 5353 +tries=1 +time=1 +short version.bind chaos txt >/dev/null; do sleep 0.1; done; : >log
cached() { dig @127.0.0.1 -p 5353 +tries=1 +time=10 +nocmd +nostats +noquestion +nottlid "$@" | sed -E 's/, id: [0-9]+//; /^(;; (OPT PSEUDO|Got answer|WARNING).*|; EDNS.*|)$/d'; }
finish() { kill $cache; wait $cache; grep -oE '(forwarded|cached|reply|nameserver|reducing|possible|Maximum|query).*' log | grep -v version.bind | sed -E 's/ to 192.*//'; }
`

var namesPeers = []peer{
	{name: "dig-records", answers: true, script: asking + `ask two.example; ask two.example aaaa; ask once.example; ask four.example aaaa; ask nowhere.example; ask x.y.any.example; ask TWO.Example +noall +answer`, arrange: zone},
	{name: "dig-alias", answers: true, script: asking + `ask alias0.example; ask alias4.example cname; ask dangling.example`, arrange: zone},
	{name: "dig-alias-loop", script: asking + `ask loop.example`, arrange: zone},
	{name: "dig-rotation", answers: true, script: asking + `for i in 1 2 3 4; do ask turns.example +short | xargs; done; for i in 1 2; do ask two.example +short | xargs; done`, arrange: zone},
	{name: "dig-large", answers: true, script: asking + `ask many.example +noedns +ignore | grep -v '\.example\.'; ask many.example +noedns | grep -c '\.example\.'; ask many.example +bufsize=4096 | grep -c '\.example\.'`, arrange: zone},
	{name: "dig-errors", answers: true, script: asking + `for name in servfail nxdomain refused right; do ask $name.any.example; done`, arrange: naming(misbehaviours...)},
	{name: "dig-silence", answers: true, script: asking + `ask two.example +time=1`, arrange: naming(dns.Silent())},
	{name: "dig-truncated", answers: true, script: asking + `ask two.example +ignore; ask two.example`, arrange: naming(dns.Truncated())},
	{name: "dig-slow", answers: true, script: asking + `ask two.example +time=1 | head -1; ask two.example +time=15`, arrange: naming(dns.Slow(4 * time.Second))},
	{name: "dig-hijack", answers: true, script: asking + `ask two.example; ask nowhere.example; ask two.example aaaa`, arrange: naming(dns.Hijack(elsewhereAt))},
	{name: "dig-hijack-ipv6", answers: true, script: asking + `ask two.example; ask two.example aaaa`, arrange: naming(dns.Hijack(netip.MustParseAddr("2001:db8::66")))},
	{name: "dig-spoofed", answers: true, script: asking + `for name in id question port; do ask $name.any.example; done`, arrange: naming(forged...)},
	{name: "dig-malformed", answers: true, script: asking + `for i in 1 2 3 4 5 6 7 8 9 10; do t=10; case $i in 8 | 9) t=3 ;; esac; echo "$i:"; ask two.example +time=$t 2>&1 | grep '^;;'; done`, arrange: naming(dns.Malformed(dns.Malformations()...))},
	{name: "dig-dns64", answers: true, script: asking + `ask two.example aaaa; ask four.example aaaa; ask two.example a; ask nowhere.example aaaa`, arrange: naming(dns.DNS64(dns.NAT64))},

	{name: "getent", answers: true, script: looking + `addresses two.example; addresses alias0.example; addresses four.example; addresses nowhere.example; addresses dangling.example; addresses loop.example`, arrange: zone},
	{name: "getent-large", answers: true, script: looking + `getent ahostsv4 many.example | grep -c STREAM`, arrange: zone},
	{name: "getent-truncated", answers: true, script: looking + `addresses two.example`, arrange: naming(dns.Truncated())},
	{name: "getent-next", answers: true, script: looking + `for name in servfail nxdomain refused malformed; do addresses $name.any.example; done`, arrange: firstOnly(misbehaviours...)},
	{name: "getent-silence-next", answers: true, script: lookingBriefly + `addresses two.example`, arrange: firstOnly(dns.Silent())},
	{name: "getent-slow", answers: true, script: looking + `addresses two.example`, arrange: naming(dns.Slow(1500 * time.Millisecond))},
	{name: "getent-aaaa-silence", answers: true, script: lookingBriefly + `addresses two.example`, arrange: naming(dns.Silent().Type("AAAA"))},
	{name: "getent-aaaa-nxdomain", answers: true, script: looking + `addresses two.example`, arrange: naming(dns.NXDomain().Type("AAAA"))},
	{name: "getent-aaaa-servfail", answers: true, script: looking + `addresses two.example`, arrange: naming(dns.ServFail().Type("AAAA"))},
	{name: "getent-spoofed", answers: true, script: looking + `addresses two.example`, arrange: naming(dns.Spoofed(elsewhereAt, dns.Forgeries()...))},

	{name: "wget-errors", script: looking + `for name in servfail nxdomain refused; do resolve $name.any.example; done`, arrange: naming(misbehaviours...)},
	{name: "wget-silence", script: lookingBriefly + `sed -i s/attempts:2/attempts:1/ /etc/resolv.conf; resolve two.example`, arrange: naming(dns.Silent())},
	{name: "curl-hijack", answers: true, script: looking + `fetch http://two.example/`, arrange: portal},
	{name: "curl-next-address", answers: true, script: looking + `fetch http://halfdead.example/`, arrange: zone},

	{
		name: "curl-aaaa-dead", answers: true, arrange: both(zone, dualStack),
		script: looking + onSix + `curl -s -v -m 20 http://two.example/ 2>&1 | grep -E 'Trying|Connected|Hello'`,
	},

	{name: "nslookup", answers: true, script: `for type in a aaaa; do busybox nslookup -type=$type two.example 192.168.1.1; busybox nslookup -type=$type nowhere.example 192.168.1.1; done`, arrange: zone},

	{name: "nslookup-errors", script: `for name in servfail refused truncated; do busybox nslookup -type=a $name.any.example 192.168.1.1; done`, arrange: naming(misbehaviours...)},
	{name: "dnsmasq", answers: true, script: caching + `cached two.example; cached two.example; cached nowhere.example; cached nowhere.example; cached once.example; cached once.example; finish`, arrange: zone},
	{name: "dnsmasq-expiry", answers: true, script: caching + `cached brief.example; cached brief.example; sleep 7; cached brief.example; finish`, arrange: zone},
	{name: "dnsmasq-truncated", answers: true, script: caching + `cached two.example +ignore; cached two.example; finish`, arrange: naming(dns.Truncated())},
	{name: "dnsmasq-spoofed", answers: true, script: caching + `cached two.example; finish`, arrange: naming(dns.Spoofed(elsewhereAt, dns.Forgeries()...))},
	{name: "dnsmasq-servfail", answers: true, script: caching + `cached two.example; cached two.example; finish`, arrange: naming(dns.ServFail())},
}

// elsewhereAt is an address that no name has.
var elsewhereAt = netip.MustParseAddr("203.0.113.66")

// zone is names of all sorts. The addresses of two.example are those of the world's web server and another.
func zone(t *testing.T, b *testbed.Bed, _ string) {
	t.Helper()
	hello, err := b.World.Name(testbed.Meeting)
	if err != nil {
		t.Fatal(err)
	}
	dead := netip.MustParseAddr("203.0.113.200")
	var many []netip.Addr
	for i := range 60 {
		many = append(many, netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 100)}))
	}
	for name, r := range map[string]dns.Records{
		"two.example":      {TTL: 77 * time.Second, A: []netip.Addr{hello, dead}, AAAA: []netip.Addr{netip.MustParseAddr("2001:db8::1")}},
		"four.example":     {TTL: time.Hour, A: []netip.Addr{hello}},
		"once.example":     {A: []netip.Addr{hello}},
		"brief.example":    {TTL: 6 * time.Second, A: []netip.Addr{hello}},
		"turns.example":    {TTL: time.Minute, A: many[:3], Rotate: true},
		"many.example":     {TTL: time.Minute, A: many},
		"*.any.example":    {TTL: time.Minute, A: []netip.Addr{hello}},
		"loop.example":     {TTL: time.Minute, CNAME: "loop.example"},
		"dangling.example": {TTL: time.Minute, CNAME: "nowhere.example"},
		"alias8.example":   {TTL: time.Minute, A: []netip.Addr{hello}},
		"halfdead.example": {TTL: time.Minute, A: []netip.Addr{dead, hello}},
	} {
		b.DNS.Zone.Set(name, r)
	}
	for i := range 8 {
		b.DNS.Zone.Set(fmt.Sprintf("alias%d.example", i), dns.Records{TTL: time.Minute, CNAME: fmt.Sprintf("alias%d.example", i+1)})
	}
}

// misbehaviours are by name; other names below any.example are resolved rightly.
var misbehaviours = []dns.Behaviour{
	dns.ServFail().For("servfail.any.example"), dns.NXDomain().For("nxdomain.any.example"), dns.Refused().For("refused.any.example"),
	dns.Truncated().For("truncated.any.example"), dns.Malformed(dns.PointerLoop).For("malformed.any.example"),
}

// forged are forgeries by name.
var forged = []dns.Behaviour{
	dns.Spoofed(elsewhereAt, dns.WrongID).For("id.any.example"), dns.Spoofed(elsewhereAt, dns.WrongQuestion).For("question.any.example"),
	dns.Spoofed(elsewhereAt, dns.WrongPort).For("port.any.example"),
}

// naming has every resolver misbehave.
func naming(how ...dns.Behaviour) arrange {
	return both(zone, func(_ *testing.T, b *testbed.Bed, _ string) {
		for _, h := range how {
			b.Impair(b.DNS.Do(h))
		}
	})
}

// firstOnly has the first resolver that the device is told of misbehave, and no other.
func firstOnly(how ...dns.Behaviour) arrange {
	return both(zone, func(_ *testing.T, b *testbed.Bed, _ string) {
		for _, h := range how {
			b.Impair(b.DNS.Told[0].Do(h))
		}
	})
}

// portal answers for every name, and shows a page of its own.
func portal(t *testing.T, b *testbed.Bed, dir string) {
	api(nil)(t, b, dir)
	at, err := b.World.Name("api.example")
	if err != nil {
		t.Fatal(err)
	}
	b.Impair(b.DNS.Do(dns.Hijack(at)))
}

func dualStack(t *testing.T, b *testbed.Bed, _ string) {
	if err := b.World.Delegate(b.World.Home(), homePrefix); err != nil {
		t.Fatal(err)
	}
}
