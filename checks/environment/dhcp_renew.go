package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// DhcpRenew gives a short lease, and then does not answer what the device sends to its server alone.
var DhcpRenew = &check.Check{
	ID:    "environment.dhcp-renew",
	Title: "Renews its address in time, and asks everybody when its server is silent",
	Why: "A router gives an address for a day or an hour. " +
		"A device that does not renew it drops off every time, or goes on with an address that someone else gets.",
	Pass:         "with a lease of 120 s it asks its server alone to renew before 87.5 % of it have passed, asks everybody before the lease ends when that is not answered, and keeps its connection all the time",
	Fix:          "renew by unicast at half of the lease (T1), by broadcast at seven eighths (T2), and keep sockets open when the address stays the same",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.dhcp.renew"},
	Sources:      []string{"RFC 2131 section 4.4.5"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      3 * time.Minute,
	Limit:        15 * time.Minute,
	Run:          dhcpRenew,
}

const renewLease = 120 * time.Second

func dhcpRenew(ctx context.Context, t *check.T) error {
	s, ack, err := leased(ctx, t, func(l *dhcp.Leases) { l.Lease = renewLease })
	if err != nil {
		return err
	}
	r := leaseRenewal{first: ack.n}
	t.Step("wait until it renews its lease of 120 s")
	renewed, ok, err := awaitHeard(ctx, t, ack.n, ack.at.Add(renewLease+lag(t)).Sub(t.Clock.Now()), evidence.In, renews)
	if err != nil {
		return err
	}
	if r.renewed = ok; ok {
		r.after, r.alone = renewed.at.Sub(ack.at), renewed.Unicast
		t.MeasureTime("lease to renewal", r.after, "<= 105 s")
		t.Impair(t.DHCP.Set(func(l *dhcp.Leases) { l.Silent = []string{"RENEW"} }))
		t.Step("do not answer what it sends to its server alone")
		again, ok, err := awaitHeard(ctx, t, renewed.n+1, renewLease+lag(t), evidence.In, func(m dhcp.Message) bool { return m.Renews() && !m.Unicast })
		if err != nil {
			return err
		}
		if r.rebound = ok; ok {
			t.MeasureTime("renewal to the question to everybody", again.at.Sub(renewed.at), "<= 120 s")
		}
	}
	r.last = t.Log.Len() - 1
	r.left, r.dropped = testbed.Left(t.Log.Since(s.Mark), s.Conn.Number())
	t.Find(judgeLeaseRenewal(r)...)
	return nil
}

// leaseRenewal is how a device kept its lease.
type leaseRenewal struct {
	renewed, alone bool // it asked, its server alone
	after          time.Duration
	rebound        bool // it asked everybody when its server did not answer
	dropped        bool // its connection ended meanwhile
	left           time.Time
	first, last    int
}

func judgeLeaseRenewal(r leaseRenewal) (found []check.Finding) {
	add := func(severity check.Severity, title, expected, seen string) {
		found = append(found, check.Finding{
			Severity: severity, Title: title, Expected: expected, Seen: seen, Evidence: check.Range(r.first, r.last, "from the lease on"),
		})
	}
	switch {
	case !r.renewed:
		add("", "Does not renew its address", "a REQUEST for the address before the lease of 120 s ends", "none came")
		return found
	case r.after > renewLease*7/8+2*time.Second:
		add(check.Major, "Renews its address late", "the first REQUEST within 105 s, seven eighths of the lease", fmt.Sprintf("it came after %.1f s", r.after.Seconds()))
	case !r.alone:
		add(check.Minor, "Renews its address by broadcast", "the first REQUEST to its server alone", "it went to everybody, which wakes every station of the network")
	}
	if !r.rebound {
		add(check.Major, "Asks no other server for its address", "a REQUEST to everybody before the lease ends, when its server does not answer", "none came")
	}
	if r.dropped && r.rebound {
		add("", "Drops its connection when it renews its address", "one connection all the time", "it ended at "+r.left.Format("15:04:05"))
	}
	return found
}
