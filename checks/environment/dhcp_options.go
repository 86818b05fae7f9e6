package environment

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dhcp"
	"github.com/shakedown-test/shakedown/world/dns"
)

// DhcpOptions tells of a small MTU, and of another DNS server when the lease is renewed.
var DhcpOptions = &check.Check{
	ID:    "environment.dhcp-options",
	Title: "Uses what DHCP tells of the network, also when it changes",
	Why: "A provider changes its DNS servers, and the router tells so when the lease is renewed. " +
		"A device that looked only once cannot find its cloud from then on; one that ignores the MTU hangs in TLS handshakes behind some lines.",
	Pass:         "with an MTU of 1400 told, its SYNs tell a segment size of at most 1360 bytes; after the renewal that names another DNS server, its next questions go to that one",
	Fix:          "take over all options at every ACK: DNS servers (6), MTU (26), routes (121)",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"net.dhcp.options"},
	Sources:      []string{"RFC 2131 section 4.4.5", "RFC 2132 sections 3.8 and 5.1", "github.com/arendst/Tasmota issue 17281"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        15 * time.Minute,
	Run:          dhcpOptions,
}

const toldMTU = 1400

func dhcpOptions(ctx context.Context, t *check.T) error {
	if len(t.DNS.Told) < 2 {
		return check.NotRun("", "the world has fewer than two resolvers")
	}
	o := leaseOptions{was: t.DNS.Told[0].Addr, now: t.DNS.Told[1].Addr}
	var mu sync.Mutex
	watch(t, func(f []byte) {
		mu.Lock()
		defer mu.Unlock()
		if size, ok := segmentSize(f); ok {
			o.segment = max(o.segment, size)
		}
	})
	t.Impair(t.DNS.Zone.Set(t.Device.Part.Host, dns.Records{TTL: 5 * time.Second, A: []netip.Addr{t.CloudAt().Addr()}}))
	_, ack, err := leased(ctx, t, func(l *dhcp.Leases) { l.Lease, l.MTU, l.DNS = shortLease, toldMTU, []netip.Addr{o.was} })
	if err != nil {
		return err
	}
	o.first, o.mtuAsked = ack.n, asked(t, 26)
	t.Record("it asks for the options %v", optionsAsked(t))
	t.Impair(t.DHCP.Set(func(l *dhcp.Leases) { l.DNS = []netip.Addr{o.now} }))
	t.Step("name another DNS server when it renews its lease")
	renewed, ok, err := awaitHeard(ctx, t, ack.n+1, shortLease+lag(t), evidence.Out, granted)
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("see environment.dhcp-renew", "it did not renew its lease of %s", shortLease)
	}
	if err := t.Clock.Sleep(ctx, 6*time.Second); err != nil { // what it knows is too old then
		return err
	}
	sent := t.Watch()
	mark := t.Log.Len()
	t.Link.Cut(true)
	if _, err := returned(ctx, t, mark, 2*t.Device.Cap()+10*time.Second); err != nil {
		return err
	}
	for _, s := range sent.Sent(false, 53) {
		o.questions = append(o.questions, s.To.Addr())
	}
	o.last = t.Log.Len() - 1
	t.Record("renewed %.0f s after the lease; %d questions afterwards", renewed.at.Sub(ack.at).Seconds(), len(o.questions))
	mu.Lock()
	found := judgeLeaseOptions(o)
	mu.Unlock()
	if len(found) == 0 && len(o.questions) == 0 {
		return check.NotRun("", "it asked no DNS server after the renewal")
	}
	t.Find(found...)
	return nil
}

// optionsAsked are the options that the device asks for.
func optionsAsked(t *check.T) (all []uint8) {
	for _, m := range heard(t, 0, evidence.In, asks) {
		all = append(all, m.Asked...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func asked(t *check.T, option uint8) bool { return slices.Contains(optionsAsked(t), option) }

// leaseOptions is what a device made of what it was told.
type leaseOptions struct {
	mtuAsked    bool
	segment     int          // largest segment size that a SYN told; 0: none did
	was, now    netip.Addr   // of the DNS server
	questions   []netip.Addr // whom it asked after the renewal
	first, last int
}

func judgeLeaseOptions(o leaseOptions) (found []check.Finding) {
	evidence := check.Range(o.first, o.last, "from the lease on")
	if o.segment > toldMTU-40 {
		f := check.Finding{
			Severity: check.Minor,
			Title:    "Ignores the MTU that DHCP tells", Evidence: evidence,
			Expected: fmt.Sprintf("a segment size of at most %d bytes in its SYNs, with an MTU of %d", toldMTU-40, toldMTU),
			Seen:     fmt.Sprintf("%d bytes; it does not ask for option 26", o.segment),
		}
		if o.mtuAsked {
			f.Severity, f.Seen = check.Major, fmt.Sprintf("%d bytes, although it asks for option 26", o.segment)
		}
		found = append(found, f)
	}
	if len(o.questions) > 0 && !slices.Contains(o.questions, o.now) {
		found = append(found, check.Finding{
			Title: "Goes on with the DNS server of its first lease", Evidence: evidence,
			Expected: fmt.Sprintf("questions to %s, which the renewal named", o.now),
			Seen:     fmt.Sprintf("%d questions to %v", len(o.questions), slices.Compact(slices.Clone(o.questions))),
		})
	}
	return found
}
