package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// loadPlotter lays out plots that share the time axis of a load.
type loadPlotter struct {
	plotter
	l evidence.Load
}

// begin starts a plot over the time of the load.
func (l loaded) begin(name, title string) *loadPlotter {
	last := l.Points[len(l.Points)-1]
	end := float64(last.Second + max(l.Every, 1))
	p := &loadPlotter{plotter: plotter{plot: plot{ID: l.ID + name, Title: title}, from: 0, to: max(end, 1), y: loadTop}, l: l.Load}
	for _, o := range l.Outages {
		x0, x1 := p.x(float64(o.Second)), p.x(float64(o.Second)+o.Back)
		if o.Away > 0 {
			x1 = plotRight
		}
		p.Shapes = append(p.Shapes, plotShape{Class: "window", D: box(x0, loadTop-10, max(x1-x0, 2), 0), Title: l.Outage(o)})
	}
	return p
}

// end draws the time axis below the panels.
func (p *loadPlotter) end(note string, keys ...loadKey) loadPlot {
	p.y -= panelGap - 8
	step := clockStep((p.to - p.from) / 8)
	var grid strings.Builder
	for t := 0.0; t <= p.to; t += step {
		x := p.x(t)
		p.mark(x, clock(t))
		fmt.Fprintf(&grid, "M%.1f %.0fV%.1f", x, loadTop-10, p.y)
	}
	for i, o := range p.l.Outages {
		x0, x1 := p.x(float64(o.Second)), p.x(float64(o.Second)+o.Back)
		if o.Away > 0 {
			x1 = plotRight
		}
		p.Shapes[i].D = box(x0, loadTop-10, max(x1-x0, 2), p.y-loadTop+10)
	}
	under := []plotShape{{Class: "grid", D: grid.String()}}
	if end := float64(p.l.Seconds); end > 0 && end < p.to {
		under = append(under, plotShape{Class: "over", D: fmt.Sprintf("M%.1f %.0fV%.1f", p.x(end), loadTop-10, p.y), Title: "the load ends; what is under way may still arrive"})
	}
	p.Shapes = slices.Insert(p.Shapes, len(p.l.Outages), under...)
	p.Height = p.y + 26
	if len(p.l.Outages) > 0 {
		keys = append([]loadKey{{"window", "connections lost until the last is back"}}, keys...)
	}
	return loadPlot{plot: &p.plot, Keys: keys, Note: note}
}

// mark names a place on the axis below the panels. The name stays within the plot.
func (p *loadPlotter) mark(x float64, name string) {
	half := float64(len([]rune(name))) * glyphWidth / 2
	p.Axis = append(p.Axis, plotText{X: min(x, plotWidth-half), Y: p.y + 18, Class: "axis", Text: name})
}

// panel is one set of axes with its scale upwards.
type panel struct {
	top, low, high float64
	log            bool
}

// panel begins a panel that shows values up to high, and draws its scale. With log, low is the bottom and both are powers of ten.
func (p *loadPlotter) panel(name string, low, high float64, log bool, label func(float64) string) panel {
	n := panel{p.y, low, high, log}
	p.lane(p.y-9, name)
	var marks []float64
	if log {
		for v := low; v <= high*1.01; v *= 10 {
			marks = append(marks, v)
		}
	} else {
		step := niceStep(high / 3)
		for v := 0.0; v <= high*1.001; v += step {
			marks = append(marks, v)
		}
	}
	var grid strings.Builder
	for _, v := range marks {
		y := n.y(v)
		fmt.Fprintf(&grid, "M%.0f %.1fH%.0f", plotLeft, y, plotRight)
		p.Texts = append(p.Texts, plotText{X: plotLeft - 6, Y: y + 4, Class: "scale", Text: label(v)})
	}
	p.Shapes = append(p.Shapes, plotShape{Class: "grid", D: grid.String()})
	p.y += panelHigh + panelGap
	return n
}

// y is the height of a value.
func (n panel) y(v float64) float64 {
	share := v / n.high
	if n.log {
		share = 0
		if v > n.low {
			share = math.Log(v/n.low) / math.Log(n.high/n.low)
		}
	}
	return n.top + panelHigh*(1-min(max(share, 0), 1))
}

// line draws a value over time; where it is not known the line breaks.
func (p *loadPlotter) line(n panel, class, title string, value func(evidence.LoadPoint) (float64, bool)) {
	var d strings.Builder
	last := math.Inf(-1)
	for i, q := range p.l.Points {
		v, known := value(q)
		if !known {
			last = math.Inf(-1)
			continue
		}
		from := float64(q.Second)
		x, y := p.x(from+float64(p.l.Every)/2), n.y(v)
		switch {
		case from-last > float64(p.l.Every)*1.5:
			fmt.Fprintf(&d, "M%.1f %.1f", x, y)
			if next := i + 1; next == len(p.l.Points) || !p.follows(next, value) {
				d.WriteString("h1.5") // a point on its own
			}
		default:
			fmt.Fprintf(&d, "L%.1f %.1f", x, y)
		}
		last = from
	}
	if d.Len() > 0 {
		p.Shapes = append(p.Shapes, plotShape{Class: "series " + class, D: d.String(), Title: title})
	}
}

// follows reports whether a point goes on the line of the one before.
func (p *loadPlotter) follows(i int, value func(evidence.LoadPoint) (float64, bool)) bool {
	_, known := value(p.l.Points[i])
	return known && p.l.Points[i].Second-p.l.Points[i-1].Second <= p.l.Every
}

// highest is the largest value of the load's points, rounded up to a mark of its scale.
func (l loaded) highest(values ...func(evidence.LoadPoint) (float64, bool)) float64 {
	most := 0.0
	for _, q := range l.Points {
		for _, value := range values {
			if v, known := value(q); known {
				most = max(most, v)
			}
		}
	}
	if most == 0 {
		return 1
	}
	step := niceStep(most / 3)
	return step * math.Ceil(most/step*0.999)
}

// clockStep is the smallest step of a time axis that is at least s seconds.
func clockStep(s float64) float64 {
	for _, step := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600} {
		if step >= s {
			return step
		}
	}
	return math.Ceil(s/86400) * 86400
}

// clock is a moment on a time axis: "15 s", "1:30", "2:05 h".
func clock(t float64) string {
	n := int(t)
	switch {
	case n < 60:
		return fmt.Sprintf("%d s", n)
	case n < 3600:
		return fmt.Sprintf("%d:%02d", n/60, n%60)
	}
	return fmt.Sprintf("%d:%02d h", n/3600, n/60%60)
}
