package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// loaded is what a fleet measured, as it is shown.
type loaded struct {
	evidence.Load
	Variant string
	Check   string
	ID      string // of its place on the page
	Plots   []loadPlot
	Folded  bool // nothing was found in it, and there are others: what it measured is shown to whom asks for it
}

// loadPlot is a plot with its caption.
type loadPlot struct {
	*plot
	Keys []loadKey
	Note string
}

// loadKey explains a line of a plot.
type loadKey struct{ Class, Text string }

// loads are what the fleets measured, of all variants: first those in which something was found.
func (v *viewer) loads() []loaded {
	var out []loaded
	for _, c := range v.cases {
		for _, r := range c.Results {
			for _, l := range r.Loads {
				one := loaded{Load: l, Variant: c.Variant, Check: c.Check.ID, ID: fmt.Sprintf("load%d", len(out)+1)}
				one.Folded = r.Outcome == evidence.Pass && one.unremarkable()
				one.Plots = one.draw()
				out = append(out, one)
			}
		}
	}
	if len(out) == 1 {
		out[0].Folded = false
	}
	slices.SortStableFunc(out, func(a, b loaded) int {
		switch {
		case a.Folded == b.Folded:
			return 0
		case a.Folded:
			return 1
		}
		return -1
	})
	return out
}

// unremarkable reports whether all its limits held, and no capacity was looked for.
func (l loaded) unremarkable() bool {
	return len(l.Capacity.Steps) == 0 && !slices.ContainsFunc(l.Limits, func(one evidence.LoadLimit) bool { return one.Outcome != evidence.LimitHeld })
}

// Words says what the fleet was.
func (l loaded) Words() string {
	text := thousands(int64(l.Devices)) + " devices"
	if l.Target != "" {
		text += " in front of " + l.Target
	}
	if l.Shape != "" {
		text += ", shape " + l.Shape
	}
	text += ", " + span(float64(l.Seconds))
	if l.Shares > 1 {
		text += ", played by " + plural(l.Shares, "share")
	}
	if l.Variant != "" {
		text += ", " + l.Variant
	}
	return text
}

// Doubts are why latencies must not be believed, in sentences.
func (l loaded) Doubts() []string {
	var out []string
	if l.Invalid != "" {
		out = append(out, "The latencies of this run are not valid: "+l.Invalid+".")
	} else if !l.Own.Kept {
		out = append(out, "The generator did not keep its schedule.")
	}
	if l.OneWay != "" {
		out = append(out, "Latencies from one machine to another are not valid: "+l.OneWay+".")
	}
	return out
}

// Seen is what was seen for a limit. Why latencies are not valid is said once, above.
func (l loaded) Seen(limit evidence.LoadLimit) string {
	for _, why := range []string{l.Invalid, l.OneWay} {
		if why != "" && limit.Outcome == evidence.LimitUnknown {
			limit.Seen = strings.TrimSuffix(limit.Seen, ": "+why)
		}
	}
	return limit.Seen
}

// chips are the classes of the outcomes of limits.
var chips = map[evidence.LimitOutcome]string{evidence.LimitHeld: "clear", evidence.LimitBroken: "blocker", evidence.LimitUnknown: "unknown"}

// Chip is the class of the mark of an outcome.
func (l loaded) Chip(o evidence.LimitOutcome) string { return chips[o] }

// fact is one figure with its name.
type fact struct {
	Name, Value string
	Bad         bool
}

// Account is what became of the messages, as a sum that a reader can follow.
func (l loaded) Account() []fact {
	m := l.Messages
	var out []fact
	add := func(name string, n uint64, bad bool) {
		out = append(out, fact{name, thousands(int64(n)), bad && n > 0})
	}
	if !m.Numbered {
		add("sent", l.Totals.Sent, false)
		add("acknowledged", l.Totals.Acked, false)
		add("received", l.Totals.Received, false)
	} else {
		add("sent", m.Sent, false)
		add("acknowledged", m.Acked, false)
	}
	if m.Numbered && m.Watched {
		add("arrived", m.Arrived, false)
		add("lost", m.Lost, true)
		add("of these acknowledged", m.LostAcked, true)
		add("duplicates", m.Duplicates, false)
		add("late", m.Late, false)
		add("seen by another tenant", m.Leaked, true)
		for _, rare := range []struct {
			name string
			n    uint64
		}{{"from another run", m.Foreign}, {"that nobody sent", m.Strange}, {"of a sender without account", m.Unsent}, {"to who was gone by then", m.Void}} {
			if rare.n > 0 {
				add(rare.name, rare.n, true)
			}
		}
	}
	if !m.Watched && m.Leaked > 0 {
		add("seen by another tenant", m.Leaked, true)
	}
	for _, rare := range []struct {
		name string
		n    uint64
	}{{"rejected", l.Totals.Rejected}, {"due and not sent", l.Totals.Withheld}, {"never answered", l.Totals.Unanswered}} {
		if rare.n > 0 {
			add(rare.name, rare.n, true)
		}
	}
	return out
}

// Unwatched says why there is no more in the account.
func (l loaded) Unwatched() string {
	switch {
	case !l.Messages.Numbered:
		return "Messages were not numbered, so nothing is known of loss, duplicates and order."
	case !l.Messages.Watched:
		return "Nobody received what was sent, so nothing is known of loss, duplicates and order."
	}
	return ""
}

// Connections are the figures about connecting.
func (l loaded) Connections() []fact {
	t := l.Totals
	return []fact{
		{"attempts", l.Number(t.Attempts), false},
		{"accepted", l.Number(t.Accepted), false},
		{"refused", l.Number(t.Refused), false},
		{"broken", l.Number(t.Broken), t.Broken > 0},
		{"dropped by the other side", l.Number(t.Dropped), t.Dropped > 0},
	}
}

// Generator are the figures about the generator.
func (l loaded) Generator() []fact {
	o := l.Own
	out := []fact{{"late by", span(o.LagP99) + " at p99, " + span(o.LagMax) + " at worst", !o.Kept}}
	if o.CPU > 0 {
		text := span(o.CPU) + " of CPU"
		if o.Cores > 0 && l.Seconds > 0 {
			text += fmt.Sprintf(", %s of %s", verdict.Percent(o.CPU/float64(l.Seconds*o.Cores)), plural(o.Cores, "core"))
		}
		out = append(out, fact{"took", text, false})
	}
	if o.PerMessage > 0 {
		out = append(out, fact{"a message", span(o.PerMessage) + " of CPU", false})
	}
	if o.PerDevice > 0 {
		out = append(out, fact{"a device", bytesWords(o.PerDevice) + " of memory, and " + bytesWords(o.Base) + " for all", false})
	}
	return out
}

// Timed are the latencies of the whole run, without the generator's own.
func (l loaded) Timed() []evidence.LoadLatency {
	return slices.DeleteFunc(slices.Clone(l.Latencies), func(e evidence.LoadLatency) bool { return e.Timing == lag })
}

// Open says how many of a latency were never answered.
func (l loaded) Open(e evidence.LoadLatency) string {
	if e.Unanswered == 0 {
		return ""
	}
	return thousands(int64(e.Unanswered)) + " unanswered"
}

// Number is a count with commas.
func (l loaded) Number(n uint64) string { return thousands(int64(n)) }

// Outage is a loss of connections in words.
func (l loaded) Outage(o evidence.LoadOutage) string {
	text := fmt.Sprintf("%s devices lost their connection at %s (%s). ", thousands(int64(o.Devices)), clock(float64(o.Second)), o.Cause)
	if o.Away > 0 {
		return text + fmt.Sprintf("%s were not back at the end.", thousands(int64(o.Away)))
	}
	return text + "The last was back after " + span(o.Back) + "."
}

// Knee is the capacity in words.
func (l loaded) Knee() string {
	c := l.Capacity
	switch {
	case len(c.Steps) == 0:
		return ""
	case c.High == 0 && c.Knee > 0:
		return fmt.Sprintf("At least %s %s: no limit broke up to there.", figure(c.Knee), c.Unit)
	case c.Knee == 0:
		return fmt.Sprintf("Not known: the limits did not hold at %s %s, the lowest that was tried.", figure(c.Steps[0].Offered), c.Unit)
	}
	return fmt.Sprintf("%s %s, between %s and %s.", figure(c.Knee), c.Unit, figure(c.Low), figure(c.High))
}

// load writes what a fleet measured, in short.
func (t *texter) load(l loaded) {
	t.line("")
	t.line("  ", l.Words())
	for _, d := range l.Doubts() {
		t.line("  ! ", d)
	}
	for _, limit := range l.Limits {
		t.line(fmt.Sprintf("  %-8s  ", clean(string(limit.Outcome))), limit.Limit+": "+l.Seen(limit))
	}
	if knee := l.Knee(); knee != "" {
		if note := l.Capacity.Note; note != "" {
			knee += " " + upperFirst(note) + "."
		}
		t.line("  capacity  ", knee)
	}
	for _, group := range []struct {
		name  string
		facts []fact
	}{{"messages", l.Account()}, {"devices", l.Connections()}} {
		var words []string
		for _, f := range group.facts {
			words = append(words, f.Value+" "+f.Name)
		}
		t.line(fmt.Sprintf("  %-8s  ", group.name), strings.Join(words, ", "))
	}
	for _, e := range l.Timed() {
		text := fmt.Sprintf("median %s, p99 %s, slowest %s of %s", span(e.P50), span(e.P99), span(e.Max), thousands(int64(e.Count)))
		if open := l.Open(e); open != "" {
			text += ", " + open
		}
		t.line(fmt.Sprintf("  %-8s  ", clean(e.Timing)), text)
	}
	for _, f := range l.Generator()[:1] {
		t.line("  generator ", f.Name+" "+f.Value)
	}
}

// thousands is a number with commas, as the limits have them.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// figure is a number of any size with at most three digits after the point, and commas.
func figure(f float64) string {
	if f >= 100 {
		return thousands(int64(f + 0.5))
	}
	return number(f)
}

// span is a time of any size: "42 µs", "3.2 ms", "5.1 s", "4 min 05 s".
func span(s float64) string {
	switch {
	case s <= 0:
		return "0 s"
	case s < 0.001:
		return number(s*1e6) + " µs"
	case s < 1:
		return number(s*1e3) + " ms"
	case s < 120:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", s), ".0") + " s"
	case s < 7200:
		return strings.TrimSuffix(fmt.Sprintf("%d min %02d s", int(s)/60, int(s)%60), " 00 s")
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

// bytesWords is an amount of memory.
func bytesWords(n float64) string {
	switch {
	case n < 1024:
		return fmt.Sprintf("%.0f B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", n/1024)
	}
	return fmt.Sprintf("%.1f MiB", n/(1<<20))
}
