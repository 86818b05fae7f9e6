package environment

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// timeSources is how long a device may take to turn to another time server than a silent one.
const timeSources = 75 * time.Second

// SNTPName looks at how the device finds its time servers.
var SNTPName = &check.Check{
	ID:    "environment.sntp-name",
	Title: "Finds its time servers by name, and more than one",
	Why: "An address in firmware cannot be changed any more: when its owner gives it up, all devices are without a clock on one day, " +
		"or go on asking for ten years somebody who never agreed to it.",
	Pass:         "every request for the time goes to an address that DNS gave (major), and while none answers, to a second address within 75 s (minor)",
	Fix:          "configure names under your own domain or the vendor zone of the NTP pool, at least two, and prefer what DHCP option 42 gives",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i"},
	Rows:         []string{"clock.sntp.name"},
	Sources:      []string{"RFC 4085 section 4", "RFC 4330 section 10"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      85 * time.Second,
	Limit:        30 * time.Minute,
	Run:          sntpName,
}

func sntpName(ctx context.Context, t *check.T) error {
	w := t.Watch()
	heal := t.Impair(t.NTP.Do(ntp.Silent()))
	t.Step("start it, and let no time server answer")
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	if err := t.Clock.Sleep(ctx, timeSources); err != nil {
		return err
	}
	asked := w.Sent(false, timePort)
	heal()
	if len(asked) == 0 {
		return check.NotApplicable("the device asked no time server within %s of its start", timeSources)
	}
	t.Measure("addresses asked", float64(len(addressed(asked))), "addresses", ">= 2")
	t.Find(judgeSources(addressed(asked), given(t.Log.Since(0)))...)
	return t.Healthy(ctx)
}

// given are the addresses in answers of DNS, with the name that was asked for.
func given(events []evidence.Event) map[netip.Addr]string {
	all := map[netip.Addr]string{}
	for _, e := range events {
		if a, ok := dns.Answered(e); ok {
			for _, addr := range a.Addrs {
				all[addr] = a.Query.Name
			}
		}
	}
	return all
}

// addressed are the addresses to which something was sent, each once.
func addressed(sent []testbed.Sent) (all []netip.Addr) {
	for _, s := range sent {
		if !slices.Contains(all, s.To.Addr()) {
			all = append(all, s.To.Addr())
		}
	}
	return all
}

func judgeSources(all []netip.Addr, given map[netip.Addr]string) (found []check.Finding) {
	var built []string
	for _, a := range all {
		if given[a] == "" {
			built = append(built, a.String())
		}
	}
	if len(built) > 0 {
		found = append(found, check.Finding{
			Title:    "Asks a time server by an address of its own",
			Expected: "requests to addresses that DNS gave",
			Seen:     "it asked " + strings.Join(built, ", ") + ", which no answer of DNS held",
		})
	}
	if len(all) == 1 {
		found = append(found, check.Finding{
			Severity: check.Minor,
			Title:    "Knows one time server only",
			Expected: fmt.Sprintf("requests to a second one within %s, while the first is silent", timeSources),
			Seen:     fmt.Sprintf("it asked %s only", all[0]),
		})
	}
	return found
}
