package environment

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
)

// Destinations looks at whom an idle device speaks to, and how much.
var Destinations = &check.Check{
	ID:    "environment.destinations",
	Title: "Speaks to nobody but the declared hosts, and within its budget",
	Why: "Someone will look at what the device sends from their living room, and write about every host that nobody told them of. " +
		"On a mobile contract every megabyte is paid for, each month and by each device.",
	Pass:         "from its start on it asks for names and sends packets only of and to the hosts of its links and of declared.destinations, beside its home network, DNS and time servers; a minute without use, taken for a day, is within declared.traffic_budget",
	Fix:          "find out which library speaks to the host; declare what is meant under declared: destinations:",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2g", "EN303645:6-5"},
	Rows:         []string{"net.beacon"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Observes,
	Typical:      2 * time.Minute,
	Limit:        15 * time.Minute,
	Run:          spokenTo,
}

func spokenTo(ctx context.Context, t *check.T) error {
	var mu sync.Mutex
	var bytes int
	to := map[netip.Addr]bool{}
	t.Impair(t.Access.Filter(frame.Both, "nothing, and counts", func(f []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		bytes += len(f)
		return true
	}))
	watch(t, func(f []byte) {
		if _, ok := source(f); ok {
			mu.Lock()
			defer mu.Unlock()
			if len(to) < 1000 {
				to[netip.AddrFrom4([4]byte(f[30:34]))] = true
			}
		}
	})
	mark := t.Log.Len()
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 20*time.Second); err != nil {
		return err
	}
	mu.Lock()
	before := bytes
	mu.Unlock()
	t.Step("look on for a minute in which nobody uses it")
	if err := t.Clock.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	mu.Lock()
	d := company{perDay: (bytes - before) * 24 * 60, budget: t.Product.Declared.TrafficBudget, first: mark, last: t.Log.Len() - 1}
	d.addresses = strangers(t, slices.Collect(maps.Keys(to)))
	mu.Unlock()
	for _, q := range questions(t.Log.Since(mark), "") {
		if name := strings.ToLower(strings.TrimSuffix(q.Name, ".")); !expected(t, name) && !slices.Contains(d.names, name) {
			d.names = append(d.names, name)
		}
	}
	if d.budget > 0 {
		t.Measure("traffic of a day without use", float64(d.perDay), "bytes", fmt.Sprintf("<= %d", d.budget))
	} else {
		t.Record("no traffic_budget is declared: %d bytes a day are not judged", d.perDay)
	}
	t.Find(judgeCompany(d)...)
	return nil
}

// strangers are the addresses of the internet, of those that packets went to, that nobody declared.
func strangers(t *check.T, to []netip.Addr) (all []netip.Addr) {
	known := slices.Concat([]netip.Addr{t.CloudAt().Addr(), t.World.Home().Router.WAN()}, t.DNS.Addrs(), t.NTP.Addrs)
	for _, r := range t.DNS.Public { // environment.dns-hardcoded judges these
		known = append(known, r.Addr)
	}
	for _, d := range t.Product.Declared.Destinations {
		if a, err := netip.ParseAddr(d); err == nil {
			known = append(known, a)
		}
	}
	for _, a := range to {
		if a.IsGlobalUnicast() && !a.IsPrivate() && !slices.Contains(known, a) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}

// expected reports whether a name is one that the device may ask for: of its links, declared, of a time server, or of its own network.
func expected(t *check.T, name string) bool {
	for _, d := range append(slices.Clone(t.Product.Declared.Destinations), t.Device.Part.Host) {
		d = strings.ToLower(strings.TrimSuffix(d, "."))
		if below, ok := strings.CutPrefix(d, "*"); name == d || ok && strings.HasSuffix(name, below) {
			return true
		}
	}
	first, _, _ := strings.Cut(name, ".")
	return strings.Contains(name, "ntp") || strings.HasPrefix(first, "time") || strings.HasSuffix(name, ".arpa") || strings.HasSuffix(name, ".local") || name == first
}

// company is whom a device spoke to, and how much.
type company struct {
	names       []string // that it asked for, undeclared
	addresses   []netip.Addr
	perDay      int // bytes
	budget      int // 0: none is declared
	first, last int
}

func judgeCompany(c company) (found []check.Finding) {
	add := func(title, expected, seen string) {
		found = append(found, check.Finding{Title: title, Expected: expected, Seen: seen, Evidence: check.Range(c.first, c.last, "from its start on")})
	}
	if len(c.names) > 0 {
		add("Asks for hosts that are not declared", "only names of its links and of declared.destinations", strings.Join(c.names, ", "))
	}
	if len(c.addresses) > 0 {
		add("Sends packets to hosts that are not declared", "only to hosts of its links and of declared.destinations, to its network and to time servers", fmt.Sprint(c.addresses))
	}
	if c.budget > 0 && c.perDay > c.budget {
		add("Sends and receives more than its budget", fmt.Sprintf("at most %d bytes a day", c.budget), fmt.Sprintf("%d bytes a day, by a minute without use", c.perDay))
	}
	return found
}
