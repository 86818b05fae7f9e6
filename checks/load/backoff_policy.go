package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// BackoffPolicy cuts the fleet off twice, and has it come back by its declared back-off and by another.
var BackoffPolicy = &check.Check{
	ID:    "load.backoff-policy",
	Title: "Lets devices back in, with jitter in their back-off and without",
	Why: "After an outage devices try until they are let in. Where what they try in vain counts as load, too, the attempts of all keep each of them " +
		"out: the outage is over, and its consequence stays until somebody pulls plugs.",
	Pass: "a fleet that is cut off at once comes back by its declared back-off, and so it does with a fixed pause without jitter (where it declares none, with " +
		"full jitter): after 60 s, or twice what it needs at its connect_rate, no more than a tenth of the devices is away that were turned away three times each",
	Fix: "let as many in as there is room for and refuse the rest before they cost anything, without counting them; have devices double their pauses, " +
		"with full jitter",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-039"},
	Sources: []string{
		"Exponential Backoff And Jitter, AWS Architecture Blog", "Metastable Failures in Distributed Systems, HotOS 2021", "the tenth and the times are ours",
	},
	Needs:   check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 35 * time.Second,
	Limit:   4 * time.Hour,
	Run:     backoffPolicy,
}

// comeback is how a fleet came back by a back-off.
type comeback struct {
	devices, left int    // cut off, and not back in the end
	vain          uint64 // attempts that were refused or came to nothing
	why           string
}

// many reports whether more than a tenth of the devices is left out.
func (c comeback) many() bool { return 10*c.left > c.devices }

// stuck reports whether they were turned away again and again: the course was not just too short for them.
func (c comeback) stuck() bool { return c.many() && c.vain >= 3*uint64(c.left) }

func backoffPolicy(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	if f.Devices < 3 {
		return check.NotRun("raise devices: under fleet:", "%d devices are no herd", f.Devices)
	}
	first := time.Duration(0)
	for i := range f.Classes {
		first = max(first, time.Duration(f.Classes[i].Backoff.First))
	}
	l := testbed.Load{Fleet: quiet(few(f, 20)), Shape: "reconnect-storm", Drain: time.Second, Blind: true}
	if t.Clock.Device(time.Second) == time.Second { // a real one gets the whole fleet, and all the time that it may take
		if l.Fleet, err = t.Fleet(ctx); err != nil {
			return err
		}
		quiet(l.Fleet)
		l.For = 2*herdWithin + 10*time.Second
	}
	l.For = max(l.For, span(l.Fleet, 18*time.Second, 0.2), 16*first)
	l.Fleet.Connects = min(l.Fleet.Connects, float64(l.Fleet.Devices)/(0.4*l.For.Seconds())) // they are no storm before they are cut off
	jittered := isJittered(l.Fleet)
	t.Step("cut %d devices off together, which come back by their back-off", l.Fleet.Devices)
	declared, err := cutOff(ctx, t, l, "Back by the declared back-off")
	if err != nil {
		return err
	}
	what := "a fixed pause without jitter"
	if !jittered {
		what = "full jitter"
	}
	l.Fleet = otherwise(l.Fleet, jittered)
	t.Step("cut %d devices off together, which come back with %s", l.Fleet.Devices, what)
	other, err := cutOff(ctx, t, l, "Back with "+what)
	if err != nil {
		return err
	}
	found := judgeBackoff(declared, other, jittered)
	t.Find(found...)
	if len(found) == 0 && (declared.many() || other.many()) {
		return check.NotRun("use a machine that is less busy, or see what load.broker-reconnect-herd finds",
			"%d and %d of %d devices were not back in the end, and had not been turned away", declared.left, other.left, declared.devices)
	}
	return nil
}

// isJittered reports whether there is chance in the back-off of every class.
func isJittered(f *product.Fleet) bool {
	for i := range f.Classes {
		if f.Classes[i].Backoff.Jitter == "none" {
			return false
		}
	}
	return true
}

// otherwise is a fleet with the other back-off: a fixed pause in place of a jittered one, full jitter in place of none.
func otherwise(f *product.Fleet, jittered bool) *product.Fleet {
	own := *f
	own.Classes = append([]product.Class(nil), f.Classes...)
	for i := range own.Classes {
		b := *own.Classes[i].Backoff
		if b.Jitter = "full"; jittered {
			b.Factor, b.Cap, b.Jitter = 1, b.First, "none"
		}
		own.Classes[i].Backoff = &b
	}
	return &own
}

// cutOff plays a course in which the fleet is cut off half-way.
func cutOff(ctx context.Context, t *check.T, l testbed.Load, title string) (comeback, error) {
	r, err := played(ctx, t, title, l, showsConnections)
	if err != nil {
		return comeback{}, err
	}
	if len(r.Outages) == 0 || r.Outages[0].Devices == 0 {
		return comeback{}, check.NotRun("see what load.connect-ramp finds", "no device was connected when the fleet was to be cut off")
	}
	n := r.Totals.Counts
	t.MeasureTime(title+": last device back", t.Clock.Device(time.Duration(r.Outages[0].Back*float64(time.Second))), "")
	t.Measure(title+": attempts for each connection", float64(n[series.Attempts])/float64(n[series.Accepted]), "", "")
	return comeback{devices: r.Outages[0].Devices, left: r.Outages[0].Away, vain: n[series.Refused] + n[series.Broken], why: reasons(r)}, nil
}

func judgeBackoff(declared, other comeback, jittered bool) []check.Finding {
	finding := func(severity check.Severity, title string, worse, better comeback) []check.Finding {
		return []check.Finding{{Severity: severity, Title: title, Seen: fmt.Sprintf(
			"%d of %d devices were not back in the end, after %d attempts in vain; with the other back-off %d were not, after %d%s",
			worse.left, worse.devices, worse.vain, better.left, better.vain, worse.why)}}
	}
	tenth := declared.devices / 10
	switch {
	case declared.stuck() && declared.left-other.left > tenth:
		return finding(check.Blocker, "Is kept down by the declared back-off of its devices", declared, other)
	case other.stuck() && other.left-declared.left > tenth && jittered:
		return finding(check.Major, "Is kept down by devices that try again at a fixed pause", other, declared)
	case declared.stuck() || other.stuck():
		return finding(check.Blocker, "Is kept down by devices that try again", declared, other)
	case !jittered && declared.vain > 2*other.vain+uint64(declared.devices):
		return []check.Finding{{
			Title: "Has to refuse more attempts, as its devices come back without jitter", Severity: check.Minor,
			Seen: fmt.Sprintf("%d attempts were in vain with the declared back-off, and %d with full jitter%s", declared.vain, other.vain, declared.why),
		}}
	}
	return nil
}
