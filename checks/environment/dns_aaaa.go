package environment

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dns"
)

// nowhere6 is an IPv6 address that nobody has.
var nowhere6 = netip.MustParseAddr("2001:db8:dead::1")

// DNSAAAA gives the cloud an IPv6 address that leads nowhere beside its good IPv4 address.
var DNSAAAA = &check.Check{
	ID:    "environment.dns-aaaa",
	Title: "Takes IPv4 when IPv6 leads nowhere",
	Why: "Many networks announce IPv6 that does not work, and nobody notices, because phones and computers fall back within a second. " +
		"A device that waits for it as long as its stack does is offline for minutes at every attempt.",
	Pass:         "in a network with IPv6, with an IPv6 address of the cloud from which nothing comes back and a good IPv4 address: an accepted connection within 10 s of the first attempt at the former",
	Fix:          "try the addresses of both versions by RFC 8305, or at least give one of several addresses a few seconds only",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.dns.aaaa"},
	Sources:      []string{"RFC 8305 section 5", "limit of 10 s: ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      30 * time.Second,
	Limit:        30 * time.Minute,
	Run:          dnsAAAA,
}

// fellBack is how a device took to IPv4.
type fellBack struct {
	tries int           // SYNs to the IPv6 address
	after time.Duration // from the first of them to the accepted connection; 0: none came
	wait  time.Duration // how long it was waited for
}

func dnsAAAA(ctx context.Context, t *check.T) error {
	if _, err := named(ctx, t); err != nil {
		return err
	}
	t.Step("give its home network IPv6, and its cloud an IPv6 address that leads nowhere")
	if err := delegate(t, homePrefix); err != nil {
		return err
	}
	host, cloud := t.Device.Part.Host, t.CloudAt()
	heal := t.Impair(t.DNS.Zone.Set(host, dns.Records{TTL: time.Second, A: []netip.Addr{cloud.Addr()}, AAAA: []netip.Addr{nowhere6}}))
	if err := t.Clock.Sleep(ctx, takes); err != nil {
		return err
	}
	w := t.Watch()
	f := fellBack{wait: t.Device.ConnectWithin() + 20*time.Second}
	s, _, err := t.Anew(ctx, f.wait)
	if err != nil {
		return err
	}
	var first time.Time
	for _, p := range w.Sent(true, cloud.Port()) {
		if p.To.Addr() != nowhere6 {
			continue
		}
		if first.IsZero() {
			first = p.At
		}
		f.tries++
	}
	heal()
	if s != nil && f.tries == 0 {
		return check.NotApplicable("the device did not try the IPv6 address of its cloud")
	}
	if s != nil {
		f.after = max(s.Since.Sub(first), 1)
		t.MeasureTime("first attempt by IPv6 to accepted connection", f.after, "<= 10 s")
	}
	t.Find(judgeFellBack(f)...)
	if s == nil {
		return t.Healthy(ctx)
	}
	return nil
}

func judgeFellBack(f fellBack) []check.Finding {
	switch {
	case f.after == 0 && f.tries > 0:
		return []check.Finding{{
			Title: "Does not take IPv4 when IPv6 leads nowhere",
			Seen:  fmt.Sprintf("no connection was accepted within %s of its start; it tried the IPv6 address %d times", f.wait, f.tries),
		}}
	case f.after > 10*time.Second:
		return []check.Finding{{
			Title: "Takes long to turn to IPv4 when IPv6 leads nowhere",
			Seen:  fmt.Sprintf("the connection came %.1f s after its first attempt by IPv6", f.after.Seconds()),
		}}
	}
	return nil
}
