package environment

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// DhcpExpired lets the DHCP server be silent until the lease is over.
var DhcpExpired = &check.Check{
	ID:    "environment.dhcp-expired",
	Title: "Stops using an address whose time is over",
	Why: "When a lease ends the router gives the address to the next phone that comes. " +
		"A device that goes on with it cuts that phone off, and nobody finds out why.",
	Pass:         "when no server renews its lease of 60 s, it sends nothing from the address later than 5 s after the end, and it is online within 330 s of the server's return",
	Fix:          "take the address off the interface when the lease ends, close what uses it, and start with DISCOVER",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"net.dhcp.expired"},
	Sources:      []string{"RFC 2131 section 4.4.5: the client MUST immediately stop any other network processing"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      2 * time.Minute,
	Limit:        15 * time.Minute,
	Run:          dhcpExpired,
}

func dhcpExpired(ctx context.Context, t *check.T) error {
	var mu sync.Mutex
	var e leaseExpiry
	var sent []time.Time
	_, ack, err := leased(ctx, t, func(l *dhcp.Leases) { l.Lease = shortLease })
	if err != nil {
		return err
	}
	watch(t, func(f []byte) {
		if a, ok := source(f); ok && a == ack.Yours {
			mu.Lock()
			defer mu.Unlock()
			if len(sent) < 10000 {
				sent = append(sent, t.Clock.Now())
			}
		}
	})
	heal := t.Impair(t.DHCP.Set(func(l *dhcp.Leases) { l.Silent = dhcp.Everything }))
	end := ack.at.Add(shortLease)
	e.first, e.grace = ack.n, 5*time.Second+lag(t)
	t.Step("renew nothing until its lease of 60 s is over")
	if err := t.Clock.Sleep(ctx, end.Add(e.grace+15*time.Second).Sub(t.Clock.Now())); err != nil {
		return err
	}
	e.last = t.Log.Len() - 1
	mu.Lock()
	for _, at := range sent {
		switch after := at.Sub(end); {
		case after < 0:
			e.before++
		case after > e.grace:
			e.after++
			e.latest = after
		}
	}
	mu.Unlock()
	if e.before == 0 {
		return check.NotRun("give it something to report", "it sent nothing from its address while the lease lasted")
	}
	mark, start := t.Log.Len(), t.Clock.Now()
	heal()
	if e.back = e.after > 0; !e.back { // one that never stopped may be online all the time
		s, err := returned(ctx, t, mark, retryBack)
		if err != nil {
			return err
		}
		if e.back = s != nil; e.back {
			t.MeasureTime("DHCP server back to online", s.Since.Sub(start), "<= "+retryBack.String())
		}
	}
	t.Find(judgeLeaseExpiry(e)...)
	return nil
}

// leaseExpiry is what a device sent from an address whose lease ended.
type leaseExpiry struct {
	before, after int           // packets, until the end and later than grace after it
	latest        time.Duration // of them, after the end
	grace         time.Duration
	back          bool
	first, last   int
}

func judgeLeaseExpiry(e leaseExpiry) (found []check.Finding) {
	evidence := check.Range(e.first, e.last, "from the lease on")
	if e.after > 0 {
		found = append(found, check.Finding{
			Title:    "Goes on using an address whose lease is over",
			Expected: fmt.Sprintf("no packet from it later than %.1f s after the end", e.grace.Seconds()),
			Seen:     fmt.Sprintf("%d packets, the last %.0f s after the end", e.after, e.latest.Seconds()),
			Evidence: evidence,
		})
	}
	if !e.back {
		found = append(found, check.Finding{
			Severity: check.Blocker,
			Title:    "Does not come back after its lease ended",
			Expected: fmt.Sprintf("online within %.0f s of the DHCP server's return", retryBack.Seconds()),
			Seen:     "it was not",
			Evidence: evidence,
		})
	}
	return found
}
