package environment

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// DhcpConflict offers the address of another station of the home network.
var DhcpConflict = &check.Check{
	ID:    "environment.dhcp-conflict",
	Title: "Declines an address that somebody has",
	Why: "Someone gave the printer a fixed address in the middle of the router's range. " +
		"A device that takes the same address without looking works now and then, and so does the printer.",
	Pass:     "it sends DECLINE within 15 s of a lease of an address that answers to ARP, and is online with another within 120 s",
	Fix:      "probe for the address by ARP before using it; on an answer send DECLINE, wait 10 s and start anew",
	Severity: check.Minor,
	Rows:     []string{"net.dhcp.conflict"},
	Sources:  []string{"RFC 2131 section 3.1 step 5", "RFC 5227 section 2.1"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:   check.Disturbs,
	Typical:  45 * time.Second,
	Limit:    10 * time.Minute,
	Run:      dhcpConflict,
}

const (
	declineWithin = 15 * time.Second
	declineBack   = 120 * time.Second
)

func dhcpConflict(ctx context.Context, t *check.T) error {
	lan := t.World.Home().Router.LAN()
	base := lan.Masked().Addr().As4()
	base[3] = 222
	taken := netip.AddrFrom4(base)
	neighbour, _, err := t.World.Home().BareHost("neighbour")
	if err != nil {
		return err
	}
	if err := neighbour.Add(netip.PrefixFrom(taken, lan.Bits())); err != nil {
		return err
	}
	neighbour.Route(lan.Addr())
	heal := t.Impair(t.DHCP.Set(func(l *dhcp.Leases) { l.Offer = taken }))
	t.Step("lease it %s, which its neighbour has", taken)
	first, err := started(ctx, t)
	if err != nil {
		return err
	}
	ack, ok, err := awaitHeard(ctx, t, first.n, t.Device.ConnectWithin(), evidence.Out, granted)
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("see its console in the evidence", "it did not take the lease that it was offered")
	}
	c := leaseConflict{first: ack.n, taken: taken}
	no, ok, err := awaitHeard(ctx, t, ack.n, declineWithin+lag(t), evidence.In, func(m dhcp.Message) bool { return m.Type == "DECLINE" })
	if err != nil {
		return err
	}
	heal()
	c.last = t.Log.Len() - 1
	if c.declined = ok; ok {
		t.MeasureTime("lease to DECLINE", no.at.Sub(ack.at), "<= 15 s")
		s, err := returned(ctx, t, no.n, declineBack)
		if err != nil {
			return err
		}
		c.back, c.last = s != nil, t.Log.Len()-1
	}
	t.Find(judgeLeaseConflict(c)...)
	return nil
}

// leaseConflict is what a device did with an address that somebody has.
type leaseConflict struct {
	taken          netip.Addr
	declined, back bool
	first, last    int
}

func judgeLeaseConflict(c leaseConflict) []check.Finding {
	f := check.Finding{Evidence: check.Range(c.first, c.last, "from the lease on")}
	switch {
	case !c.declined:
		f.Title = "Takes an address that somebody has"
		f.Expected = fmt.Sprintf("DECLINE within %.0f s of the lease", declineWithin.Seconds())
		f.Seen = fmt.Sprintf("none came; %s answers to ARP, and is the neighbour's", c.taken)
	case !c.back:
		f.Severity = check.Blocker
		f.Title = "Does not come online after it declined an address"
		f.Expected = fmt.Sprintf("online with another within %.0f s", declineBack.Seconds())
		f.Seen = "it was not"
	default:
		return nil
	}
	return []check.Finding{f}
}
