package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// calendar is what ends in the next years, as table and plot.
type calendar struct {
	Days  []calendarDay
	Years []yearLine
	Lanes []calendarLane
	Dates []calendarMark // of the product, to compare with
	Now   float64        // where now is
	High  float64        // the height of the plot
}

// calendarDay is a line of the table.
type calendarDay struct {
	evidence.Break
	Variants []string // none: all
	Past     bool
}

// calendarLane is a line of the plot: what is of one kind.
type calendarLane struct {
	Name  string
	Class string
	Y     float64
	Marks []calendarMark
}

// calendarMark is one day in the plot.
type calendarMark struct {
	X    float64
	Text string
	N    int // how many there are on about this day
}

// yearLine is where a year begins.
type yearLine struct {
	X    float64
	Text string
}

// calendarKinds are the lanes from top to bottom: what ends for good before what is renewed.
var calendarKinds = []struct {
	kind        evidence.BreakKind
	name, class string
}{
	{evidence.EndOwn, "own certificates", "bad"},
	{evidence.EndRoot, "roots in devices", "bad"},
	{evidence.EndPath, "simple clients", "bad"},
	{evidence.EndProfile, "app profiles", "bad"},
	{evidence.EndPin, "pinned keys", "renewed"},
	{evidence.EndServer, "sent by servers", "renewed"},
	{evidence.RuleBegins, "rules", "rule"},
}

// The plot is 800 wide, of which the names of the lanes take some.
const (
	calendarLeft, calendarRight = 120.0, 785.0
	calendarTop, laneHeight     = 34.0, 26.0
	sameMark                    = 7.0 // marks that are nearer than this are one
)

// calendarOf makes the calendar of all variants; nil: there is none.
func (v *viewer) calendarOf() *calendar {
	c := &calendar{}
	began := v.in.Plan.Created
	for _, k := range v.cases {
		for _, r := range k.Results {
			for _, b := range r.Calendar {
				i := slices.IndexFunc(c.Days, func(d calendarDay) bool { return d.Break == b })
				if i < 0 {
					i = len(c.Days)
					c.Days = append(c.Days, calendarDay{Break: b, Past: b.When.Before(began) && b.Kind != evidence.RuleBegins})
				}
				if k.Variant != "" && !slices.Contains(c.Days[i].Variants, k.Variant) {
					c.Days[i].Variants = append(c.Days[i].Variants, k.Variant)
				}
			}
		}
	}
	if len(c.Days) == 0 {
		return nil
	}
	for i := range c.Days {
		if d := &c.Days[i]; len(d.Variants) == len(v.in.Plan.Variants) {
			d.Variants = nil
		}
	}
	slices.SortStableFunc(c.Days, func(a, b calendarDay) int { return cmp.Or(a.When.Compare(b.When), strings.Compare(a.What, b.What)) })
	c.draw(began)
	return c
}

// draw puts the days on a line of ten years, and what has ended before.
func (c *calendar) draw(now time.Time) {
	first, last := now, now.AddDate(10, 0, 0)
	if c.Days[0].When.Before(first) {
		first = c.Days[0].When
	}
	x := func(t time.Time) float64 {
		share := float64(t.Sub(first)) / float64(last.Sub(first))
		return calendarLeft + min(max(share, 0), 1)*(calendarRight-calendarLeft)
	}
	c.Now = x(now)
	for year := first.UTC().Year() + 1; year <= last.UTC().Year(); year++ {
		c.Years = append(c.Years, yearLine{x(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)), fmt.Sprint(year)})
	}
	y := calendarTop
	for _, k := range calendarKinds {
		lane := calendarLane{Name: k.name, Class: k.class, Y: y}
		for _, d := range c.Days {
			if d.Kind != k.kind {
				continue
			}
			at := x(d.When)
			if n := len(lane.Marks); n > 0 && at-lane.Marks[n-1].X < sameMark {
				m := &lane.Marks[n-1]
				m.N++
				m.Text += "; " + d.words()
				continue
			}
			lane.Marks = append(lane.Marks, calendarMark{at, d.words(), 1})
		}
		if len(lane.Marks) > 0 {
			c.Lanes = append(c.Lanes, lane)
			y += laneHeight
		}
	}
	c.High = y
	for _, d := range c.Days {
		if d.Kind == evidence.DateLaunch || d.Kind == evidence.DateSupport {
			c.Dates = append(c.Dates, calendarMark{X: x(d.When), Text: d.What})
		}
	}
}

// words is the day in one line.
func (d calendarDay) words() string { return d.Date() + ": " + d.What }

// Date is the day.
func (d calendarDay) Date() string { return d.When.UTC().Format(time.DateOnly) }

// Class is that of its mark in the plot; empty for the dates of the product.
func (d calendarDay) Class() string {
	for _, k := range calendarKinds {
		if k.kind == d.Kind {
			return k.class
		}
	}
	return "own"
}

// Label is what stands beside the mark.
func (m calendarMark) Label() string {
	if m.N > 1 {
		return fmt.Sprint(m.N)
	}
	return ""
}
