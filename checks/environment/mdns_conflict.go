package environment

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/mdns"
)

// MdnsConflict gives the device's name to a neighbour while the device is off.
var MdnsConflict = &check.Check{
	ID:    "environment.mdns-conflict",
	Title: "Takes another name when its own is taken in the home network",
	Why: "A household buys a second device of the same make. " +
		"Both answer to one name, and the app opens sometimes the one and sometimes the other.",
	Pass: "a device whose host name a neighbour has taken asks for a name before it uses it, announces its service within 20 s of being online under another host name, " +
		"does not use the taken one, and answers within 1 s when somebody else is about to take its name",
	Fix:          "probe three times before taking a name, append a number when it is taken, and keep the new name",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.mdns.conflict"},
	Sources:      []string{"RFC 6762, sections 8.1, 8.2 and 9", "limit of 20 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.Restart}, Declares: []string{"service"}, World: true},
	Impact:       check.Restarts,
	Typical:      40 * time.Second,
	Limit:        15 * time.Minute,
	Run:          mdnsConflict,
}

// renamed is what a device did whose name was taken.
type renamed struct {
	taken    string     // its host name
	by       netip.Addr // the neighbour's
	back     *known     // how it announced itself then; nil: it did not
	all      []said     // since it was started again
	defended bool       // it answered a probe for its new name
	first    int        // event
}

func mdnsConflict(ctx context.Context, t *check.T) error {
	r, addr, k, err := atHome(ctx, t)
	if err != nil {
		return err
	}
	t.Step("switch it off, and give its name %s to a neighbour", k.host)
	if err := t.Device.Stop(ctx); err != nil {
		return err
	}
	f := renamed{taken: k.host, by: addr, first: t.Log.Len()}
	t.Impair(r.Claim(k.host, addr))
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	wait := 20*time.Second + slack(t)
	_, _, err = awaitSaid(ctx, t, f.first, wait, func(s said) bool {
		next, ok := knownBy(s, local(t))
		if ok && (s.Sort == mdns.Announcement || s.Sort == mdns.Answer) && next.host != "" {
			f.back = &next
		}
		return f.back != nil && f.back.host != f.taken
	})
	if err != nil {
		return err
	}
	if f.back != nil {
		if err := f.contest(ctx, t, r); err != nil {
			return err
		}
	}
	f.all = saidIn(t.Log.Since(f.first))
	t.Find(judgeRenamed(f)...)
	return nil
}

// contest is about to take the device's new name, as far as the device is asked.
func (f *renamed) contest(ctx context.Context, t *check.T, r *mdns.Responder) error {
	if err := t.Clock.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	t.Step("be about to take %s too", f.back.host)
	for range 3 {
		mark := t.Log.Len()
		r.Probe(f.back.host, f.by)
		_, ok, err := awaitSaid(ctx, t, mark, time.Second+slack(t), func(s said) bool {
			a := s.Holds(f.back.host, "A")
			return a != nil && a.TTL > 0 && a.Address != f.by
		})
		if ok || err != nil {
			f.defended = ok
			return err
		}
	}
	return nil
}

func judgeRenamed(f renamed) []check.Finding {
	var found []check.Finding
	probed, uses := false, (*said)(nil)
	for _, s := range f.all {
		if s.Sort == mdns.Probe {
			probed = true
		}
		if a := s.Holds(f.taken, "A"); a != nil && a.TTL > 0 && a.Address != f.by && uses == nil && s.Sort != mdns.Probe {
			uses = &s
		}
	}
	if uses != nil {
		found = append(found, check.Finding{
			Title:    "Uses a name that a neighbour has",
			Expected: "no answer or announcement that " + f.taken + " is its own",
			Seen:     "said so: " + uses.String(),
			Evidence: about(*uses),
		})
	}
	if !probed && len(f.all) > 0 {
		found = append(found, check.Finding{
			Title:    "Takes a name without asking whether it is free",
			Expected: "probes for the name before the first announcement (RFC 6762, section 8.1)",
			Seen:     fmt.Sprintf("none among %d packets since it was started", len(f.all)),
			Evidence: check.Range(f.first, f.all[len(f.all)-1].n, "since the start"),
		})
	}
	switch {
	case uses == nil && (f.back == nil || f.back.host == f.taken):
		found = append(found, check.Finding{
			Severity: check.Major,
			Title:    "Is not to be found any more when its name is taken",
			Expected: "an announcement of its service under another host name within 20 s",
			Seen:     fmt.Sprintf("none; %d packets since it was started", len(f.all)),
		})
	case uses == nil && f.back != nil && !f.defended:
		found = append(found, check.Finding{
			Title:    "Does not defend its name",
			Expected: "an answer to one of three probes for " + f.back.host + " within 1 s (RFC 6762, section 8.1)",
			Seen:     "none",
		})
	}
	return found
}
