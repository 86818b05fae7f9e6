package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// The measures of a timeline, in SVG user units; one unit is about one pixel on a wide screen.
const (
	plotWidth  = 960.0
	plotLeft   = 112.0 // where the time axis begins; lane names stand before it
	plotRight  = 948.0
	maxTicks   = 16 // more marks than that in a lane become a density
	maxConns   = 5  // more connections than that become a density
	maxWorld   = 8  // marks of steps and power; more are left out
	glyphWidth = 6.0
)

// plot is what happened on the wire around a finding, laid out to be drawn. It has about two hundred nodes at most, however long the
// log is.
type plot struct {
	ID, Title, Desc string
	Height          float64
	Lanes           []plotText
	Axis            []plotText
	Shapes          []plotShape
	Texts           []plotText
	Notes           []string // what the reader must know: what was left out
}

type plotText struct {
	X, Y  float64
	Class string
	Text  string
}

type plotShape struct {
	Class string
	D     string // path data
	Title string // shown when pointed at
}

// plotter lays out one plot, lane by lane from the top.
type plotter struct {
	plot
	zero     time.Time // of the axis: the first event of the log
	from, to float64   // seconds on the axis
	y        float64   // where the next lane begins
}

// timeline draws the events that ref points at and some time around them. It is nil when there is nothing to draw.
func timeline(id string, events []evidence.Event, ref evidence.Ref) *plot {
	var window []evidence.Event
	for _, e := range events {
		if e.N >= ref.First && e.N <= ref.Last {
			window = append(window, e)
		}
	}
	if len(window) == 0 {
		return nil
	}
	p := plotter{plot: plot{ID: id}, zero: events[0].At, y: 26}
	first, last := p.time(window[0]), p.time(window[len(window)-1])
	for _, e := range window {
		first, last = min(first, p.time(e)), max(last, p.time(e))
	}
	pad := max((last-first)*0.15, 0.6)
	p.from, p.to = first-pad, last+pad
	if end := p.time(events[len(events)-1]); p.to > end {
		p.to = max(end, last) + (p.to-p.from)*0.02
	}
	if p.from < 0 {
		p.from = 0
	}
	if p.to <= p.from {
		p.to = p.from + 1
	}
	p.Shapes = append(p.Shapes, plotShape{Class: "window"}) // drawn first; its height is known at the end
	p.world(events)
	conns := p.connections(events)
	in := p.packets(events)
	p.console(events)
	p.axis()
	x0, x1 := p.x(first), p.x(last)
	if x1-x0 < 4 {
		x0, x1 = x0-2, x1+2
	}
	p.Shapes[0].D = box(x0, 16, x1-x0, p.y-16)
	p.Shapes[0].Title = "the events of the finding"
	p.Height = p.y + 26
	p.Title = "What happened on the wire"
	p.Desc = fmt.Sprintf("From %s to %s after the check began: %s, %s. The finding is between %s and %s.",
		secs(p.from), secs(p.to), plural(conns, "connection"), in, secs(first), secs(last))
	if slices.ContainsFunc(events, func(e evidence.Event) bool { return e.Kind == evidence.Overflow }) {
		p.Notes = append(p.Notes, "The log was full; what came later is not shown.")
	}
	return &p.plot
}

// time is when e happened, in seconds on the axis.
func (p *plotter) time(e evidence.Event) float64 { return e.At.Sub(p.zero).Seconds() }

// shows says whether a moment lies on the axis.
func (p *plotter) shows(t float64) bool { return t >= p.from && t <= p.to }

// x is the place of a moment, at the edge when it lies outside.
func (p *plotter) x(t float64) float64 {
	t = min(max(t, p.from), p.to)
	return plotLeft + (t-p.from)/(p.to-p.from)*(plotRight-plotLeft)
}

// lane names the lane at the height y.
func (p *plotter) lane(y float64, name string) {
	p.Lanes = append(p.Lanes, plotText{X: 0, Y: y, Class: "lane", Text: name})
}

// axis draws the seconds below all lanes.
func (p *plotter) axis() {
	step := niceStep((p.to - p.from) / 7)
	for n := math.Ceil(p.from / step); n*step <= p.to; n++ {
		x := p.x(n * step)
		p.Axis = append(p.Axis, plotText{X: x, Y: p.y + 18, Class: "axis", Text: axisLabel(n*step, step)})
	}
	var grid strings.Builder
	for _, a := range p.Axis {
		fmt.Fprintf(&grid, "M%.1f 16V%.1f", a.X, p.y)
	}
	p.Shapes = slices.Insert(p.Shapes, 1, plotShape{Class: "grid", D: grid.String()})
}

// niceStep is the smallest of 1, 2, 5 times a power of ten that is at least s.
func niceStep(s float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(s)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= s {
			return f * power
		}
	}
	return 10 * power
}

func axisLabel(t, step float64) string {
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	return fmt.Sprintf("%.*f s", digits, t)
}

// secs is a span of seconds as people read it.
func secs(s float64) string {
	switch {
	case s < 0.1 && s > 0:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 100:
		return fmt.Sprintf("%.1f s", s)
	case s < 6000:
		return fmt.Sprintf("%.0f min %02.0f s", math.Floor(s/60), math.Mod(s, 60))
	}
	return fmt.Sprintf("%.1f h", s/3600)
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func box(x, y, w, h float64) string { return fmt.Sprintf("M%.1f %.1fh%.1fv%.1fh%.1fz", x, y, w, h, -w) }

// shorten cuts a text to n runes.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
