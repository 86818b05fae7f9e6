package load

import (
	"context"
	"fmt"
	"maps"
	"math"
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
	Run:          capacity,
}

const (
	room    = 2   // times the declared fleet, at which it is enough
	narrow  = 1.2 // the upper end of the interval divided by the lower one, at which it is narrow enough
	repeats = 3   // of the load that held last, and of the one that broke first
)

func capacity(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	limits, err := limitsOf(f, t.Cloud)
	if err != nil {
		return err
	}
	var load evidence.Load // of the step that was nearest to the declared fleet
	s := search{declared: f.Devices, try: func(n int) (evidence.LoadStep, error) {
		step, played, err := tryDevices(ctx, t, f, limits, n)
		if err == nil && load.Devices == 0 || err == nil && abs(n-f.Devices) < abs(load.Devices-f.Devices) {
			load = played
		}
		return step, err
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
// its limit: the accounts have.
func judgeStep(r *series.Record, judged []evidence.LoadLimit, beyond bool) (outcome evidence.LimitOutcome, seen string) {
	if r.Stopped {
		return evidence.LimitUnknown, fmt.Sprintf("it was ended after %d s", r.Seconds)
	}
	if who := strangers(r); beyond && who != "" {
		return evidence.LimitUnknown, "devices were refused as strangers (" + who + "): there are accounts for the declared fleet, perhaps, and for no more"
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

func abs(n int) int { return max(n, -n) }

// search looks for the number of devices up to which the limits hold.
type search struct {
	declared int
	try      func(devices int) (evidence.LoadStep, error)

	steps     []evidence.LoadStep
	low, high int // that held, and that broke; 0: none
	unknown   *evidence.LoadStep
}

// run tries half, all and twice the declared fleet, and where a limit breaks, what lies in between.
func (s *search) run() error {
	for _, n := range []int{max(1, s.declared/2), s.declared, room * s.declared} {
		if on, err := s.step(n); err != nil || !on {
			if err != nil {
				return err
			}
			break
		}
	}
	if s.high == 0 {
		return nil
	}
	for s.high > s.low+1 && float64(s.high) > narrow*float64(s.low) && s.unknown == nil {
		middle := int(math.Sqrt(float64(max(1, s.low)) * float64(s.high)))
		if s.low == 0 {
			middle = s.high / 2
		}
		if _, err := s.step(min(s.high-1, max(s.low+1, middle))); err != nil {
			return err
		}
	}
	if s.unknown != nil {
		return nil
	}
	for range repeats - 1 { // what broke or held once by chance widens the interval
		for _, n := range []int{s.low, s.high} {
			if n == 0 {
				continue
			}
			if _, err := s.step(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// step tries one load. It reports whether it held.
func (s *search) step(n int) (held bool, err error) {
	step, err := s.try(n)
	if err != nil && len(s.steps) == 0 {
		return false, err
	}
	if err != nil { // what was found before holds
		step = evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitUnknown, Seen: err.Error()}
	}
	s.steps = append(s.steps, step)
	switch step.Outcome {
	case evidence.LimitHeld:
		s.low = max(s.low, n)
	case evidence.LimitBroken:
		if s.high == 0 || n < s.high {
			s.high = n
		}
		if s.low >= n { // it had held before
			s.low = s.highestThatHeldBelow(n)
		}
	default:
		s.unknown = &step
	}
	return step.Outcome == evidence.LimitHeld, nil
}

func (s *search) highestThatHeldBelow(n int) (most int) {
	for _, o := range s.steps {
		if int(o.Offered) < n && o.Outcome == evidence.LimitHeld {
			most = max(most, int(o.Offered))
		}
	}
	return most
}

// capacity is what was found: between the highest load that always held and the highest that held at all, or the lowest that broke.
func (s *search) capacity() evidence.LoadCapacity {
	c := evidence.LoadCapacity{Unit: "devices", Knee: float64(s.low), Low: float64(s.low), High: float64(s.high), Steps: s.steps}
	switch {
	case s.unknown != nil:
		c.Note = fmt.Sprintf("it ended at %.0f devices, where it is not known whether the limits hold: %s", s.unknown.Offered, s.unknown.Seen)
	case s.high == 0:
		c.Note = "that is twice the declared fleet, and more was not tried"
	default:
		broke := slices.IndexFunc(s.steps, func(o evidence.LoadStep) bool { return int(o.Offered) == s.high && o.Outcome == evidence.LimitBroken })
		c.Note = fmt.Sprintf("halved between what held and what broke, and the ends tried %d times; at %d devices: %s", repeats, s.high, s.steps[broke].Seen)
	}
	return c
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
