// Package limit judges what a fleet measured against what its owner declared, such as "connect p99 < 5 s".
package limit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// Limit is what must hold of a run.
type Limit struct{ product.Limit }

// Parse reads a limit; see product.ParseLimit for how it is written.
func Parse(text string) (Limit, error) {
	l, err := product.ParseLimit(text)
	return Limit{l}, err
}

// Judge says whether a limit held in a run, what was seen, and whether that is known. What is not known is never held; then seen is why.
func (l Limit) Judge(r *series.Record) (held bool, seen string, known bool) {
	var v value
	switch {
	case l.Of != "":
		v = l.latency(r)
	case l.What == "back":
		v = back(r)
	case l.What == "connected":
		v = connected(r)
	default:
		v = counted(l.What, r)
	}
	if v.unknown != "" {
		return false, v.unknown, false
	}
	held = l.Holds(v.n)
	if l.Percent {
		if !v.shared {
			return false, v.seen + ", and nothing of which it could be a share", false
		}
		held = l.Holds(v.share)
	}
	switch {
	case held && v.never:
		held = false
	case held && v.more != "":
		return false, v.seen + ", but " + v.more, false
	case held && v.worst > v.n && !l.Holds(v.worst):
		return false, v.seen + ", but " + v.doubt, false
	}
	return held, v.seen, true
}

// value is what was measured for a limit.
type value struct {
	unknown string // why it is not known
	n       float64
	share   float64 // n as a part of what it belongs to
	shared  bool    // whether it belongs to anything
	seen    string  // in words

	// A held limit is not believed where it says too little.
	more  string  // why n may be larger than it is here; empty where it cannot be
	worst float64 // what n can be at the worst, where that is larger than n
	doubt string  // why
	never bool    // the limit is broken whatever n is
}

// latency is a figure of a timing. What was never answered is among the latencies with as long as it was waited for. So a figure is at
// least what they give, and at most what they give when each unanswered one took for ever.
func (l Limit) latency(r *series.Record) value {
	t := timing(l.What)
	switch {
	case r.Own.Invalid != "" && t != series.Lag:
		return value{unknown: "the latencies of this run are not valid: " + r.Own.Invalid}
	case r.Own.OneWay != "" && (t == series.Delivery || t == series.Command):
		return value{unknown: "latencies between two clocks are not valid: " + r.Own.OneWay}
	}
	total, ok := r.Latency(t)
	if !ok {
		return value{unknown: fmt.Sprintf("no %s was timed", l.What)}
	}
	const ever = 1e18
	v := value{}
	open := float64(total.Unanswered) / float64(total.Count)
	switch l.Of {
	case "mean":
		v.n = total.Mean
		if open > 0 {
			v.worst = ever
		}
	default:
		share := map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999, "max": 1}[l.Of]
		v.n = r.Quantile(t, share)
		v.worst = r.Quantile(t, min(1, share+open))
		if share+open > 1 {
			v.worst = ever
		}
	}
	v.seen = fmt.Sprintf("%s of %s", Seconds(v.n), number(float64(total.Count)))
	if total.Unanswered > 0 {
		v.doubt = fmt.Sprintf("%s of them were never answered", number(float64(total.Unanswered)))
	}
	return v
}

// timing is the timing that a word means.
func timing(word string) series.Timing {
	for _, t := range series.Timings() {
		if t.String() == word {
			return t
		}
	}
	panic("no timing is called " + word) // product.ParseLimit lets none through, which a test holds
}

// back is how long the worst return took.
func back(r *series.Record) value {
	if len(r.Outages) == 0 {
		return value{unknown: "no connections were lost, so none had to return"}
	}
	longest := slices.MaxFunc(r.Outages, func(a, b series.Outage) int { return cmp.Or(a.Away-b.Away, cmp.Compare(a.Back, b.Back)) })
	if longest.Devices == 0 {
		return value{unknown: "no device was connected when connections were cut, so none had to return"}
	}
	devices := number(float64(longest.Devices))
	if longest.Away > 0 {
		return value{never: true, seen: fmt.Sprintf("%s of %s devices were not back at the end", number(float64(longest.Away)), devices)}
	}
	return value{n: longest.Back, seen: fmt.Sprintf("%s until the last of %s devices was back", Seconds(longest.Back), devices)}
}

// connected is how many devices had a session when the run ended.
func connected(r *series.Record) value {
	for i := len(r.Points) - 1; i >= 0; i-- {
		if p := r.Points[i]; p.Second < r.Seconds && p.Devices > 0 {
			return part(float64(p.Connected), float64(p.Devices), "devices", "connected at the end")
		}
	}
	return value{unknown: "no device was meant to be connected"}
}

// counted is a number of things that went wrong, as a part of those that could.
func counted(what string, r *series.Record) value {
	c := func(counters ...series.Counter) (sum float64) {
		for _, k := range counters {
			sum += float64(r.Totals.Counts[k])
		}
		return sum
	}
	attempts, sent := c(series.Attempts), c(series.Sent)
	switch what {
	case "refused":
		return part(c(series.Refused), attempts, "attempts to connect", "refused")
	case "broken":
		return part(c(series.Broken), attempts, "attempts to connect", "ended without an answer")
	case "dropped":
		return part(c(series.Dropped), c(series.Accepted), "connections", "dropped by the other side")
	case "rejected":
		return part(c(series.Rejected), sent, "messages", "answered with an error")
	case "withheld":
		return part(c(series.Withheld), sent+c(series.Withheld), "messages that were due", "not sent")
	case "unanswered":
		return part(c(series.Unanswered), sent, "messages", "never answered")
	case "errors":
		return worst(
			part(c(series.Broken), attempts, "attempts to connect", "ended without an answer"),
			part(c(series.Dropped), c(series.Accepted), "connections", "dropped by the other side"),
			part(c(series.Rejected), sent, "messages", "answered with an error"),
		)
	}
	return accounted(what, r.Messages)
}

// accounted is a number from the account of messages.
func accounted(what string, m *count.Totals) value {
	switch {
	case m == nil:
		return value{unknown: "messages were not numbered"}
	case what == "leaked" && m.Leaked > 0 && m.Arrived == 0: // it is known of devices, whoever else receives what is sent
		return value{n: float64(m.Leaked), seen: number(float64(m.Leaked)) + " messages seen by another tenant"}
	case !m.Watched:
		return value{unknown: "nobody received what was sent: the fleet file names no operator"}
	case m.Sent == 0:
		return value{unknown: "no numbered message was sent"}
	}
	sent, arrived := float64(m.Sent), float64(m.Arrived)
	incomplete := ""
	if m.Unsent > 0 {
		incomplete = fmt.Sprintf("the account of a sender is missing: %s messages arrived that no part of it sent", number(float64(m.Unsent)))
	}
	var v value
	switch what {
	case "lost":
		v = part(float64(m.Lost), sent, "messages", "lost")
		v.more = incomplete
		return v
	case "lost acked":
		v = part(float64(m.LostAcked), float64(m.Acked), "acknowledged messages", "lost")
		v.more = incomplete
		return v
	case "duplicates":
		v = part(float64(m.Duplicates), arrived, "messages", "arrived again")
	case "late":
		v = part(float64(m.Late), arrived, "messages", "overtaken by a later one")
	case "leaked":
		v = part(float64(m.Leaked), arrived, "messages", "seen by another tenant")
	case "foreign":
		v = part(float64(m.Foreign), arrived, "messages", "from another run")
	}
	if v.unknown != "" {
		v.unknown = "none of the messages arrived"
	}
	return v
}

// part is n of a number of things to which something happened. With none of them nothing is known.
func part(n, of float64, things, happened string) value {
	if of == 0 && n == 0 {
		return value{unknown: "there were no " + things}
	}
	v := value{n: n, seen: fmt.Sprintf("%s of %s %s %s", number(n), number(of), things, happened)}
	if of > 0 {
		v.share, v.shared = n/of, true
		if n > 0 {
			v.seen += fmt.Sprintf(" (%s)", percent(v.share))
		}
	}
	return v
}

// worst is the sum of several parts; as a share it is the largest of theirs.
func worst(parts ...value) value {
	var sum value
	var seen []string
	for _, p := range parts {
		if p.unknown != "" {
			continue
		}
		sum.n += p.n
		sum.share, sum.shared = max(sum.share, p.share), true
		if p.n > 0 || len(seen) == 0 {
			seen = append(seen, p.seen)
		}
	}
	if len(seen) == 0 {
		return value{unknown: "nothing was attempted"}
	}
	if sum.n > 0 && strings.HasPrefix(seen[0], "0 ") {
		seen = seen[1:]
	}
	sum.seen = strings.Join(seen, "; ")
	return sum
}

// All judges every limit, for the evidence.
func All(limits []Limit, r *series.Record) []evidence.LoadLimit {
	out := []evidence.LoadLimit{}
	for _, l := range limits {
		held, seen, known := l.Judge(r)
		e := evidence.LoadLimit{Limit: l.String(), Outcome: evidence.LimitBroken, Seen: seen}
		switch {
		case !known:
			e.Outcome = evidence.LimitUnknown
		case held:
			e.Outcome = evidence.LimitHeld
		}
		if l.Of != "" {
			e.Timing, e.Seconds = l.What, l.Value
		}
		out = append(out, e)
	}
	return out
}
