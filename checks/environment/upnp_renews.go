package environment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// longestLease is as long as the check waits for the end of a lease.
const longestLease = 2 * time.Hour

// UpnpRenews keeps a device's way from outside on for longer than the lease of its port.
var UpnpRenews = &check.Check{
	ID:    "environment.upnp-renews",
	Title: "Asks for an open port for a limited time, and renews it",
	Why: "A port that is opened for ever stays open when the device is sold, and leads to whatever gets its address next. " +
		"One that is opened for an hour and not renewed works in the demonstration only.",
	Pass:         "the device asks for a lease above 0 and of at most 7 days; a lease of up to 2 h is renewed before it ends, and a port that the router forgot is open again within a lease",
	Fix:          "ask for an hour, renew at half of it, and look each time whether the port is still open",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2j", "CRA:I.2h"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"UPnP WANIPConnection:2, section 2.3.17: leases from 1 s to 604800 s"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"upnp"}, World: true},
	Impact:       check.Disturbs,
	Typical:      2 * time.Minute,
	Limit:        6 * time.Hour,
	Run:          upnpRenews,
}

// renewal is how a device dealt with leases.
type renewal struct {
	lease    time.Duration // that it asked for first
	waited   bool          // until after its end
	kept     bool          // the port was open all the while
	restored bool          // it was open again after the router forgot it
}

func upnpRenews(ctx context.Context, t *check.T) error {
	p, err := withGateway(ctx, t, upnp.Behaviour{})
	if err != nil {
		return err
	}
	if err := p.turn(ctx, true); err != nil {
		return err
	}
	if _, err := p.opened(ctx); err != nil {
		return err
	}
	r := renewal{lease: leases(t.Log.Since(0))[0]}
	t.MeasureTime("lease that it asks for", r.lease, "> 0 s")
	if r.lease > 0 && r.lease <= longestLease {
		r.waited = true
		has := func(all []upnp.Mapping) bool { return slices.ContainsFunc(all, p.declared) }
		t.Step("wait for the end of its lease of %s", r.lease)
		if err := t.Clock.Sleep(ctx, r.lease+r.lease/8+slack(t)); err != nil {
			return err
		}
		r.kept = has(p.gateway.Mappings())
		if r.kept {
			t.Step("have the router forget the port, and wait for it to be opened again")
			p.gateway.Forget()
			all, err := p.await(ctx, r.lease, has)
			if err != nil {
				return err
			}
			r.restored = has(all)
		}
	}
	t.Find(judgeRenewal(r)...)
	return nil
}

func judgeRenewal(r renewal) []check.Finding {
	switch {
	case r.lease == 0:
		return []check.Finding{{
			Title:    "Asks for a port that stays open for ever",
			Expected: "a lease above 0",
			Seen:     "a lease of 0, which has no end",
		}}
	case r.lease > 7*24*time.Hour:
		return []check.Finding{{
			Title:    "Asks for a longer lease than there is",
			Expected: "a lease of at most 604800 s",
			Seen:     fmt.Sprintf("%.0f s", r.lease.Seconds()),
		}}
	case r.waited && !r.kept:
		return []check.Finding{{
			Title:    "Does not renew the lease of its port",
			Expected: fmt.Sprintf("its port open after the end of its lease of %.0f s", r.lease.Seconds()),
			Seen:     "it is closed",
		}}
	case r.waited && !r.restored:
		return []check.Finding{{
			Title:    "Does not open its port again that the router forgot",
			Expected: fmt.Sprintf("its port open again within its lease of %.0f s", r.lease.Seconds()),
			Seen:     "it stays closed",
		}}
	}
	return nil
}
