package load

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/limit"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// FleetLimits plays the fleet that the product file describes, and holds it against the limits that stand there.
var FleetLimits = &check.Check{
	ID:    "load.fleet-limits",
	Title: "Keeps its limits under the fleet",
	Why: "A backend that passes with fifty devices falls over with fifty thousand. What its owner promised of it is known to hold " +
		"only where the whole fleet was in front of it, with what its devices do all day.",
	Pass: "every limit under fleet: holds while the fleet takes its course; without any, no message that was acknowledged is lost, none reaches " +
		"another tenant (over CoAP and HTTP: each is answered, and well), no device is refused, and all that do not sleep are connected at the end",
	Fix:          "look at the report's section on load for when it began: what was full then is what to make larger",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"the limits are the maker's"},
	Needs:        check.Needs{Real: product.Cloud},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        100 * time.Hour,
	Run:          fleetLimits,
}

// usual are the limits where none is declared, and unwatched those where nobody can receive what is sent.
var (
	usual     = []string{"lost acked = 0", "leaked = 0", "refused = 0", "connected >= 100 %"}
	unwatched = []string{"refused = 0", "rejected = 0", "unanswered = 0", "connected >= 100 %"}
)

func fleetLimits(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	limits, err := limitsOf(f, t.Cloud)
	if err != nil {
		return err
	}
	t.Step("%s: %d devices for %s", f.Shape, f.Devices, time.Duration(f.For))
	r, err := t.Play(ctx, testbed.Load{Fleet: f, Shape: f.Shape, For: time.Duration(f.For)})
	if err != nil {
		return err
	}
	judged := limit.All(limits, r)
	load := r.Load()
	load.Title, load.Target, load.Shape, load.Devices, load.Limits = "The fleet and its limits", t.Cloud.URL(), f.Shape, f.Devices, judged
	t.Loaded(load)
	leaked := uint64(0)
	if r.Messages != nil {
		leaked = r.Messages.Leaked
	}
	found, unknown := judgeLimits(judged, leaked)
	t.Find(found...)
	if r.Stopped {
		return check.NotRun("let it run to its end", "the fleet was ended after %d s of %s: what held until then need not hold to the end", r.Seconds, time.Duration(f.For))
	}
	if len(unknown) > 0 {
		return check.NotRun("use a smaller fleet, or a machine with more processors, where the schedule was not kept",
			"it is not known whether it holds: %s (%s)", unknown[0].Limit, unknown[0].Seen)
	}
	return nil
}

// limitsOf are the limits of a fleet in front of a cloud, or the usual ones.
func limitsOf(f *product.Fleet, cloud *testbed.Cloud) (limits []limit.Limit, err error) {
	texts := f.Limits
	switch scheme, _, _ := strings.Cut(cloud.URL(), "://"); {
	case len(texts) > 0:
	case watchable(f, product.Protocol(scheme)):
		texts = usual
	default:
		texts = unwatched
	}
	for _, text := range texts {
		l, err := limit.Parse(text)
		if err != nil {
			return nil, err
		}
		limits = append(limits, l)
	}
	return limits, nil
}

// watchable reports whether a class of the fleet sends what somebody can subscribe to.
func watchable(f *product.Fleet, scheme product.Protocol) bool {
	return slices.ContainsFunc(f.Classes, func(c product.Class) bool { return cmp.Or(c.Transport, scheme).Carries(product.MQTT) })
}

// judgeLimits makes findings of the limits that are broken, and of messages that another tenant saw, whether a limit speaks of them or not, and
// gives the limits of which nothing is known.
func judgeLimits(judged []evidence.LoadLimit, leaked uint64) (found []check.Finding, unknown []evidence.LoadLimit) {
	for _, l := range judged {
		switch l.Outcome {
		case evidence.LimitBroken:
			found = append(found, check.Finding{Title: fmt.Sprintf("Does not keep its limit: %s", l.Limit), Expected: l.Limit, Seen: l.Seen})
		case evidence.LimitUnknown:
			unknown = append(unknown, l)
		}
	}
	if leaked > 0 && !slices.ContainsFunc(judged, func(l evidence.LoadLimit) bool { return strings.HasPrefix(l.Limit, "leaked") }) {
		found = append(found, check.Finding{Title: "Shows one tenant what is another's", Expected: "none", Seen: fmt.Sprintf("%d messages or answers", leaked)})
	}
	return found, unknown
}
