package environment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// DNSHardcoded lets queries through to the network's own resolvers only, as many company networks do.
var DNSHardcoded = &check.Check{
	ID:    "environment.dns-hardcoded",
	Title: "Asks the resolvers of its network",
	Why: "Company networks, hotels and some providers let nobody ask a resolver of the internet, and have names that only their own knows. " +
		"A device with a built-in resolver does not work there, and tells a third party what its owner does.",
	Pass:         "an accepted connection when only the network's resolvers can be reached (major), and no query to any other (minor)",
	Fix:          "use the resolvers that DHCP or router advertisements give, and no others",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.dns.hardcoded"},
	Sources:      []string{"RFC 2132 section 3.8", "the criterion: ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        30 * time.Minute,
	Run:          dnsHardcoded,
}

func dnsHardcoded(ctx context.Context, t *check.T) error {
	told := t.DNS.Addrs()
	w := t.Watch()
	t.Step("let through what is sent to port 53 of %v, and of nobody else", told)
	heal := t.Impair(t.Block("what is sent to port 53 of foreign resolvers", func(s testbed.Sent) bool {
		return s.To.Port() == 53 && !slices.Contains(told, s.To.Addr())
	}))
	s, _, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2+30*time.Second)
	if err != nil {
		return err
	}
	built := map[string]int{}
	asked := 0
	for _, tcp := range []bool{false, true} {
		for _, p := range w.Sent(tcp, 53) {
			asked++
			if !slices.Contains(told, p.To.Addr()) {
				built[p.To.Addr().String()]++
			}
		}
	}
	if s != nil && asked == 0 {
		return check.NotApplicable("the device came online without asking any resolver")
	}
	heal()
	if s == nil {
		if err := t.Healthy(ctx); err != nil {
			return err
		}
	}
	t.Measure("queries to resolvers that nobody told it of", float64(len(built)), "resolvers", "= 0")
	t.Find(judgeHardcoded(s != nil, built)...)
	return nil
}

func judgeHardcoded(online bool, built map[string]int) []check.Finding {
	var names []string
	for a, n := range built {
		names = append(names, fmt.Sprintf("%s (%d times)", a, n))
	}
	slices.Sort(names)
	asked := "it asked no other resolver"
	if len(names) > 0 {
		asked = "it asked " + strings.Join(names, ", ")
	}
	switch {
	case !online:
		return []check.Finding{{
			Title:    "Does not come online where only the network's resolvers can be reached",
			Expected: "an accepted connection",
			Seen:     "none came; " + asked + "; when all could be reached, it came",
		}}
	case len(names) > 0:
		return []check.Finding{{
			Severity: check.Minor,
			Title:    "Asks a built-in resolver",
			Expected: "queries to the resolvers of its network only",
			Seen:     asked,
		}}
	}
	return nil
}
