// Package schedule is faults of a network over time: which, when, for how long and how bad. A schedule is drawn from a seed, written down
// as one line of text, carried out in a world, and made smaller while what it brought about still comes about.
//
//	10s+5s outage; 20s+30s loss 20%; 25s forget
package schedule

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is a sort of fault.
type Kind string

// The kinds. The amount of each is in its unit; those without one either happen or do not.
const (
	Outage    Kind = "outage"    // the device's own link is down
	Blackhole Kind = "blackhole" // its link looks up, and nothing passes
	WAN       Kind = "wan-down"  // the router's link to the internet is down; the home network goes on
	Loss      Kind = "loss"      // share of the packets on its link that are lost, 0..1
	Delay     Kind = "delay"     // seconds that each packet takes longer, each way
	Rate      Kind = "rate"      // bits per second, each way
	Duplicate Kind = "duplicate" // share of the packets that come twice, 0..1
	Reorder   Kind = "reorder"   // share of the packets that are overtaken, 0..1
	Corrupt   Kind = "corrupt"   // share of the packets with a bit turned over, 0..1
	Forget    Kind = "forget"    // the router loses its NAT mappings; takes no time
	Reboot    Kind = "reboot"    // the router is away and comes back without its mappings
	Readdress Kind = "readdress" // the router gets another public address; takes no time
)

// traits are what is to know of a kind.
type traits struct {
	unit    string  // of the amount: "%", "s", "bit/s"; empty: it has none
	mild    float64 // amounts from
	severe  float64 // to, which is less for a rate
	instant bool    // it takes no time
}

var known = map[Kind]traits{
	Outage: {}, Blackhole: {}, WAN: {}, Reboot: {},
	Loss: {unit: "%", mild: 0.05, severe: 0.5}, Duplicate: {unit: "%", mild: 0.05, severe: 0.3},
	Reorder: {unit: "%", mild: 0.05, severe: 0.3}, Corrupt: {unit: "%", mild: 0.02, severe: 0.2},
	Delay: {unit: "s", mild: 0.2, severe: 3}, Rate: {unit: "bit/s", mild: 128e3, severe: 9600},
	Forget: {instant: true}, Readdress: {instant: true},
}

// Kinds are all of them, in alphabetical order.
func Kinds() []Kind {
	var all []Kind
	for k := range known {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// Step is one fault.
type Step struct {
	Kind   Kind
	At     time.Duration // from the beginning of the schedule, device time
	For    time.Duration // how long; 0 of those that take no time
	Amount float64
}

// Schedule is faults in the order of their beginning. They may overlap.
type Schedule []Step

// Lasts is when the last fault is over.
func (s Schedule) Lasts() (end time.Duration) {
	for _, step := range s {
		end = max(end, step.At+step.For)
	}
	return end
}

// Draw makes a schedule of n faults that are over within so much time.
func Draw(rng *rand.Rand, n int, within time.Duration) Schedule {
	kinds := Kinds()
	var s Schedule
	for range n {
		k := kinds[rng.IntN(len(kinds))]
		step := Step{Kind: k, At: time.Duration(rng.Int64N(int64(within * 3 / 4))).Round(time.Second)}
		t := known[k]
		if !t.instant {
			step.For = max(time.Second, time.Duration(rng.Int64N(int64(within/4))).Round(time.Second))
		}
		if t.unit != "" {
			step.Amount = rounded(t.mild + rng.Float64()*(t.severe-t.mild))
		}
		s = append(s, step)
	}
	slices.SortStableFunc(s, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	return s
}

// rounded has two significant digits.
func rounded(x float64) float64 { return digits(x, 2) }

func digits(x float64, n int) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', n, 64), 64)
	return r
}

// String is the schedule as Parse reads it.
func (s Schedule) String() string {
	words := make([]string, len(s))
	for i, step := range s {
		words[i] = step.String()
	}
	return strings.Join(words, "; ")
}

func (s Step) String() string {
	text := short(s.At)
	if s.For > 0 {
		text += "+" + short(s.For)
	}
	text += " " + string(s.Kind)
	amount := strconv.FormatFloat(s.Amount, 'f', -1, 64)
	switch t := known[s.Kind]; t.unit {
	case "":
	case "%":
		text += " " + strconv.FormatFloat(digits(s.Amount*100, 12), 'f', -1, 64) + "%"
	case "s":
		text += " " + amount + "s"
	default:
		text += " " + amount
	}
	return text
}

// short is a duration without the zero units that time.Duration writes.
func short(d time.Duration) string {
	if d%time.Second == 0 && d < 10*time.Minute {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return d.String()
}

// Bounds of a schedule that a person writes.
const (
	maxSteps = 64
	maxTime  = 24 * time.Hour
)

// Parse reads what String writes. The error says which fault it is about.
func Parse(text string) (Schedule, error) {
	var s Schedule
	for i, part := range strings.Split(text, ";") {
		step, err := parseStep(strings.Fields(part))
		if err != nil {
			return nil, fmt.Errorf("fault %d of the schedule, %q: %w", i+1, strings.TrimSpace(part), err)
		}
		if s = append(s, step); len(s) > maxSteps {
			return nil, fmt.Errorf("the schedule has more than %d faults", maxSteps)
		}
	}
	slices.SortStableFunc(s, func(a, b Step) int { return cmp.Compare(a.At, b.At) })
	return s, nil
}

func parseStep(words []string) (s Step, err error) {
	if len(words) < 2 || len(words) > 3 {
		return s, fmt.Errorf("want a time, a kind and an amount if the kind has one, as in \"20s+30s loss 20%%\"")
	}
	at, lasting, _ := strings.Cut(words[0], "+")
	if s.At, err = span(at); err != nil {
		return s, err
	}
	s.Kind = Kind(words[1])
	t, ok := known[s.Kind]
	if !ok {
		return s, fmt.Errorf("there is no fault %q; there are %v", words[1], Kinds())
	}
	if t.instant && lasting != "" {
		return s, fmt.Errorf("%s takes no time: write only when", s.Kind)
	}
	if lasting != "" {
		if s.For, err = span(lasting); err != nil {
			return s, err
		}
	}
	if !t.instant && s.For == 0 {
		return s, fmt.Errorf("say how long %s lasts: \"%s+10s %s\"", s.Kind, at, s.Kind)
	}
	if (t.unit != "") != (len(words) == 3) {
		return s, fmt.Errorf("%s takes %s", s.Kind, map[bool]string{true: "an amount in " + t.unit, false: "no amount"}[t.unit != ""])
	}
	if t.unit == "" {
		return s, nil
	}
	number, percent := strings.CutSuffix(words[2], "%")
	number = strings.TrimSuffix(number, "s")
	if s.Amount, err = strconv.ParseFloat(number, 64); err != nil || s.Amount < 0 || s.Amount > 1e12 || s.Amount != s.Amount {
		return s, fmt.Errorf("%q is no amount", words[2])
	}
	if percent {
		s.Amount = digits(s.Amount/100, 12)
	}
	switch {
	case t.unit == "%" && s.Amount > 1:
		return s, fmt.Errorf("%s is at most 100%%", s.Kind)
	case t.unit == "bit/s" && s.Amount < 1:
		return s, fmt.Errorf("a rate is at least 1 bit/s")
	case t.unit == "s" && s.Amount > maxTime.Seconds():
		return s, fmt.Errorf("a delay is at most %s", maxTime)
	}
	return s, nil
}

func span(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > maxTime {
		return 0, fmt.Errorf("%q is no time from 0 to %s", text, maxTime)
	}
	return d, nil
}
