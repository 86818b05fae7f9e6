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

// DhcpNak gives the home network other addresses, and refuses to renew the old one.
var DhcpNak = &check.Check{
	ID:    "environment.dhcp-nak",
	Title: "Takes another address when its router refuses the old one",
	Why: "A new router, or one that was reset, has other addresses. " +
		"A device that insists on its old one is offline until someone restarts it.",
	Pass:         "within 60 s and 1.5 times its keep-alive of the NAK to its renewal it is online with an address of the new network",
	Fix:          "on NAK stop using the address at once, start with DISCOVER, and open all connections anew",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"net.dhcp.nak"},
	Sources:      []string{"RFC 2131 sections 3.1 and 4.4.5"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      160 * time.Second,
	Limit:        15 * time.Minute,
	Run:          dhcpNak,
}

// shortLease is one that is renewed soon.
const shortLease = 60 * time.Second

// nakLease ends long after a device has to be back that was refused at its renewal.
const nakLease = 4 * time.Minute

// otherNetwork is what the home network becomes.
var otherNetwork = netip.MustParsePrefix("10.77.0.1/24")

func dhcpNak(ctx context.Context, t *check.T) error {
	s, ack, err := leased(ctx, t, func(l *dhcp.Leases) { l.Lease, l.Renew, l.Rebind = nakLease, 30*time.Second, 2*time.Minute })
	if err != nil {
		return err
	}
	t.Step("give the home network the addresses of %s in place of those of %s", otherNetwork.Masked(), t.World.Home().Router.LAN().Masked())
	undo, err := t.World.Renumber(t.World.Home(), otherNetwork)
	if err != nil {
		return err
	}
	t.Impair(undo)
	t.Impair(t.DHCP.Set(func(l *dhcp.Leases) {
		l.Router, l.First = otherNetwork, netip.Addr{}
		l.DNS = l.DNS[min(1, len(l.DNS)):] // the router's own answers at its old address only
	}))
	nak, ok, err := awaitHeard(ctx, t, ack.n, nakLease+lag(t), evidence.Out, func(m dhcp.Message) bool { return m.Type == "NAK" })
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("see environment.dhcp-renew", "it did not ask for its address within the lease of %s, so that nothing could be refused", nakLease)
	}
	k, limit := s.KeepAlive(), 60*time.Second
	r := leaseRefusal{within: limit + k*3/2 + lag(t), first: nak.n}
	back, err := returned(ctx, t, nak.n, r.within)
	if err != nil {
		return err
	}
	r.last = t.Log.Len() - 1
	r.asked = len(heard(t, nak.n, evidence.In, func(m dhcp.Message) bool { return m.Type == "DISCOVER" })) > 0
	if r.back = back != nil; r.back {
		t.MeasureTime("NAK to online", back.Since.Sub(nak.at), "<= "+r.within.String())
	}
	t.Find(judgeLeaseRefusal(r)...)
	return nil
}

// leaseRefusal is what a device did when its address was refused.
type leaseRefusal struct {
	asked, back bool // for another address; online again
	within      time.Duration
	first, last int
}

func judgeLeaseRefusal(r leaseRefusal) []check.Finding {
	if r.back {
		return nil
	}
	f := check.Finding{
		Title:    "Does not come back when its address is refused",
		Expected: fmt.Sprintf("online with another address within %.0f s of the NAK", r.within.Seconds()),
		Seen:     "it did not even ask for another address",
		Evidence: check.Range(r.first, r.last, "from the NAK on"),
	}
	if r.asked {
		f.Seen = "it asked for another address, and did not come online"
	}
	return []check.Finding{f}
}
