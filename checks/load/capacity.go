package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/limit"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// Capacity raises the number of devices until a limit breaks.
var Capacity = &check.Check{
	ID:    "load.capacity",
	Title: "Has room for the declared fleet",
	Why: "A fleet grows until it meets a limit that nobody knew of. How far away it is can be found out beforehand, and then be " +
		"watched as any other stock.",
	Pass: "the limits under fleet: (without any, the usual ones) hold with half of the declared devices, with all, and, to see how much room " +
		"there is, with twice as many; where one breaks, the capacity is looked for in between, three times around it",
	Fix:          "see in the plot which limit broke first, and what was full then",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"the limits and the size of the fleet are the maker's"},
	Needs:        check.Needs{Real: product.Cloud},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        100 * time.Hour,
	Run:          func(ctx context.Context, t *check.T) error { return capacity(ctx, t, room, 0) },
}

const (
	room  = 2  // times the declared fleet, at which it is enough
	most  = 64 // times the declared fleet, beyond which Climb does not go
	spare = 3  // plays that Climb has again, where this machine could not keep its schedule
)

// Climb is Capacity for those who ask where the limits end: it goes on beyond twice the declared fleet until one breaks, or this machine can't go
// on. The length is that of one play.
func Climb(length time.Duration) *check.Check {
	c := *Capacity
	c.Pass = fmt.Sprintf("the limits under fleet: (without any, the usual ones) hold with half of the declared devices and with all; then their number is "+
		"doubled until one breaks, up to %d times; the capacity is looked for in between, three times around it", most)
	c.Typical = 10 * length // a limit that breaks between two and four times the fleet, narrowed down and tried again
	c.Run = func(ctx context.Context, t *check.T) error { return capacity(ctx, t, most, spare) }
	return &c
}

// capacity tries up to so many times the declared fleet, and plays again what this machine spoilt as often as is spare.
func capacity(ctx context.Context, t *check.T, times, spare int) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	limits, err := limitsOf(f, t.Cloud)
	if err != nil {
		return err
	}
	var load evidence.Load // of the step that was nearest to the declared fleet
	s := search{declared: f.Devices, times: times, spare: spare, try: func(n int) (evidence.LoadStep, bool, error) {
		step, played, err := tryDevices(ctx, t, f, limits, n)
		if err == nil && load.Devices == 0 || err == nil && abs(n-f.Devices) < abs(load.Devices-f.Devices) {
			load = played
		}
		return step, step.Outcome == evidence.LimitUnknown && played.Invalid != "" && strings.HasSuffix(step.Seen, played.Invalid), err
	}}
	if err := s.run(); err != nil {
		return err
	}
	load.Capacity = s.capacity()
	t.Loaded(load)
	t.Measure("capacity", load.Capacity.Knee, "devices", fmt.Sprintf(">= %d", s.declared))
	t.Find(judgeCapacity(load.Capacity, s.declared)...)
	if u := s.unknown; u != nil && int(u.Offered) <= s.declared {
		return check.NotRun("use a machine with more processors", "it is not known whether %.0f devices have room: %s", u.Offered, u.Seen)
	}
	return nil
}

// tryDevices plays the fleet with so many devices, and says whether the limits held.
func tryDevices(ctx context.Context, t *check.T, f *product.Fleet, limits []limit.Limit, n int) (evidence.LoadStep, evidence.Load, error) {
	own := *f
	grown := float64(n) / float64(f.Devices)
	own.Devices, own.Connects, own.Tenants = n, f.Connects*max(1, grown), min(n, max(1, int(float64(f.Tenants)*grown)))
	l := testbed.Load{Fleet: &own, Shape: f.Shape, For: time.Duration(f.For)}
	t.Step("%d devices for %s", n, l.For)
	r, err := t.Play(ctx, l)
	if err != nil {
		return evidence.LoadStep{}, evidence.Load{}, err
	}
	judged := limit.All(limits, r)
	step := evidence.LoadStep{Offered: float64(n), Reached: float64(atEnd(r))}
	step.Outcome, step.Seen = judgeStep(r, judged, n > f.Devices)
	if ack, ok := r.Latency(series.Ack); ok && r.Own.Invalid == "" {
		step.P99 = ack.P99
	}
	load := r.Load()
	load.Title, load.Target, load.Shape, load.Devices, load.Limits = "How many devices there is room for", t.Cloud.URL(), l.Shape, n, judged
	return step, load, nil
}

// judgeStep says how a load came out by its limits. Where it is beyond the declared fleet, a cloud that does not know the devices has not met
// its limit: the accounts have. Nor has one that was offered what this machine could not keep up with, unless it said no.
func judgeStep(r *series.Record, judged []evidence.LoadLimit, beyond bool) (outcome evidence.LimitOutcome, seen string) {
	if r.Stopped {
		return evidence.LimitUnknown, fmt.Sprintf("it was ended after %d s", r.Seconds)
	}
	if who := strangers(r); beyond && who != "" {
		return evidence.LimitUnknown, "devices were refused as strangers (" + who + "): there are accounts for the declared fleet, perhaps, and for no more"
	}
	if why := r.Own.Invalid; beyond && why != "" && !turnedAway(judged) {
		return evidence.LimitUnknown, why
	}
	outcome, seen = evidence.LimitHeld, "all limits held"
	for _, j := range judged {
		if j.Outcome == evidence.LimitBroken {
			return j.Outcome, j.Limit + ": " + j.Seen
		}
		if j.Outcome == evidence.LimitUnknown && outcome == evidence.LimitHeld {
			outcome, seen = j.Outcome, j.Limit+": "+j.Seen
		}
	}
	return outcome, seen
}

// turnedAway reports whether a limit broke on what the other side refused, which no machine that is late can have made up.
func turnedAway(judged []evidence.LoadLimit) bool {
	return slices.ContainsFunc(judged, func(j evidence.LoadLimit) bool {
		return j.Outcome == evidence.LimitBroken && (strings.HasPrefix(j.Limit, "refused") || strings.HasPrefix(j.Limit, "rejected"))
	})
}

func abs(n int) int { return max(n, -n) }

// strangers is the answer of a cloud that does not know who a device is, if it gave one: bad user name or password, or not authorized, by the
// codes of MQTT 3.1.1 and 5.0 and of HTTP and CoAP.
func strangers(r *series.Record) string {
	for _, answer := range slices.Sorted(maps.Keys(r.Totals.Answers)) {
		connack := strings.HasPrefix(answer, "CONNACK ")
		for _, code := range []string{"(0x04)", "(0x05)", "(0x85)", "(0x86)", "(0x87)"} {
			if connack && strings.Contains(answer, code) {
				return answer
			}
		}
		if slices.Contains([]string{"status 401", "status 403", coap.Unauthorized.String(), coap.Forbidden.String()}, answer) {
			return answer
		}
	}
	return ""
}

func judgeCapacity(c evidence.LoadCapacity, declared int) []check.Finding {
	if c.High == 0 || c.High > float64(declared) {
		return nil
	}
	return []check.Finding{{
		Title:    "Has no room for the declared fleet",
		Expected: fmt.Sprintf("the limits hold with %d devices", declared),
		Seen:     fmt.Sprintf("they hold up to %.0f devices and break at %.0f; %s", c.Low, c.High, c.Note),
	}}
}
