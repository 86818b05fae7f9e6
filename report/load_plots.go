package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

const (
	lag       = "lag"
	panelHigh = 116.0 // of one panel of a plot
	panelGap  = 30.0
	loadTop   = 34.0
	mostRows  = 6 // classes that are drawn; the rest is in the table
)

// loadPlotter lays out plots that share the time axis of a load.
type loadPlotter struct {
	plotter
	l evidence.Load
}

// draw makes the plots of a load. Without points there are none but that of the capacity.
func (l loaded) draw() []loadPlot {
	var out []loadPlot
	if len(l.Points) > 1 {
		out = append(out, l.devicesPlot(), l.ratesPlot())
		if p, ok := l.latencyPlot(); ok {
			out = append(out, p)
		}
		for _, which := range []struct {
			id, title string
			of        func(evidence.LoadPoint) []evidence.LoadClass
		}{
			{"errors", "Failures", func(p evidence.LoadPoint) []evidence.LoadClass { return p.Errors }},
			{"answers", "What the other side answered", func(p evidence.LoadPoint) []evidence.LoadClass { return p.Answers }},
		} {
			if p, ok := l.classesPlot(which.id, which.title, which.of); ok {
				out = append(out, p)
			}
		}
	}
	if p, ok := l.kneePlot(); ok {
		out = append(out, p)
	}
	return out
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

// devicesPlot draws how many devices are connected.
func (l loaded) devicesPlot() loadPlot {
	p := l.begin("devices", "Devices connected over time")
	connected := func(q evidence.LoadPoint) (float64, bool) { return float64(q.Connected), true }
	meant := func(q evidence.LoadPoint) (float64, bool) { return float64(q.Meant), true }
	n := p.panel("Devices", 0, l.highest(connected, meant), false, figure)
	p.line(n, "meant", "meant to be connected", meant)
	p.line(n, "one", "connected", connected)
	last := l.Points[len(l.Points)-1]
	p.Desc = fmt.Sprintf("At the end %d of %d devices were connected.", last.Connected, last.Meant)
	return p.end("", loadKey{"one", "connected"}, loadKey{"meant", "meant to be"})
}

// ratesPlot draws what was done a second.
func (l loaded) ratesPlot() loadPlot {
	p := l.begin("rates", "Rates over time")
	every := float64(max(l.Every, 1))
	rate := func(of func(evidence.LoadCounts) uint64) func(evidence.LoadPoint) (float64, bool) {
		return func(q evidence.LoadPoint) (float64, bool) { return float64(of(q.Counts)) / every, true }
	}
	attempts := rate(func(c evidence.LoadCounts) uint64 { return c.Attempts })
	accepted := rate(func(c evidence.LoadCounts) uint64 { return c.Accepted })
	sent := rate(func(c evidence.LoadCounts) uint64 { return c.Sent })
	acked := rate(func(c evidence.LoadCounts) uint64 { return c.Acked })
	received := rate(func(c evidence.LoadCounts) uint64 { return c.Received })
	keys := []loadKey{{"three", "attempts"}, {"two", "accepted"}}
	n := p.panel("Connections/s", 0, l.highest(attempts, accepted), false, figure)
	p.line(n, "three broad", "attempts to connect a second", attempts)
	p.line(n, "two thin", "accepted a second", accepted)
	if t := l.Totals; t.Sent+t.Acked+t.Received > 0 {
		n = p.panel("Messages/s", 0, l.highest(sent, acked, received), false, figure)
		if t.Received > 0 {
			p.line(n, "three broadest", "received a second", received)
			keys[0].Text += ", received"
		}
		p.line(n, "one broad", "sent a second", sent)
		keys = append(keys, loadKey{"one", "sent"})
		if t.Acked > 0 {
			p.line(n, "two thin", "acknowledged a second", acked)
			keys[1].Text += ", acknowledged"
		}
	}
	p.Desc = fmt.Sprintf("%d attempts, %d accepted, %d messages sent, %d acknowledged in all.", l.Totals.Attempts, l.Totals.Accepted, l.Totals.Sent, l.Totals.Acked)
	return p.end("", keys...)
}

// latencyPlot draws percentiles, a panel for each kind of latency, upwards by powers of ten.
func (l loaded) latencyPlot() (loadPlot, bool) {
	p := l.begin("latency", "Latencies over time")
	limited := false
	var said []string
	for _, total := range l.Latencies {
		low, high := math.Inf(1), total.Max
		of := func(figure func(evidence.LoadLatency) float64) func(evidence.LoadPoint) (float64, bool) {
			return func(q evidence.LoadPoint) (float64, bool) {
				i := slices.IndexFunc(q.Latencies, func(e evidence.LoadLatency) bool { return e.Timing == total.Timing })
				if i < 0 {
					return 0, false
				}
				return figure(q.Latencies[i]), true
			}
		}
		p50 := of(func(e evidence.LoadLatency) float64 { return e.P50 })
		slowest := of(func(e evidence.LoadLatency) float64 { return e.Max })
		for _, q := range l.Points {
			if v, known := p50(q); known && v > 0 {
				low = min(low, v)
			}
			if v, known := slowest(q); known {
				high = max(high, v)
			}
		}
		var limits []evidence.LoadLimit
		for _, limit := range l.Limits {
			if limit.Timing == total.Timing && limit.Seconds > 0 {
				limits = append(limits, limit)
				high, limited = max(high, limit.Seconds), true
			}
		}
		if math.IsInf(low, 1) {
			low = 1e-6
		}
		bottom := math.Pow(10, math.Floor(math.Log10(min(low, high))))
		top := math.Pow(10, math.Ceil(math.Log10(max(high, bottom*10))-1e-9))
		n := p.panel(timingNames[total.Timing], bottom, top, true, span)
		for _, limit := range limits {
			p.Shapes = append(p.Shapes, plotShape{
				Class: "limit-line", D: fmt.Sprintf("M%.0f %.1fH%.0f", plotLeft, n.y(limit.Seconds), plotRight), Title: "limit: " + limit.Limit,
			})
		}
		p.line(n, "three thin", "the slowest", slowest)
		p.line(n, "two", "99 % were faster", of(func(e evidence.LoadLatency) float64 { return e.P99 }))
		p.line(n, "one", "half were faster", p50)
		said = append(said, fmt.Sprintf("%s: median %s, p99 %s, slowest %s", total.Timing, span(total.P50), span(total.P99), span(total.Max)))
	}
	if len(said) == 0 {
		return loadPlot{}, false
	}
	p.Desc = strings.Join(said, "; ") + "."
	keys := []loadKey{{"one", "median"}, {"two", "p99"}, {"three", "slowest"}}
	if limited {
		keys = append(keys, loadKey{"limit-line", "limit"})
	}
	note := "A latency stands where its answer came; while the other side is silent there is none."
	if l.Every > 1 {
		note += fmt.Sprintf(" Each point is the worst of %d s.", l.Every)
	}
	return p.end(note, keys...), true
}

var timingNames = map[string]string{
	"connect": "Connect", "tls": "TLS", "ack": "Acknowledged", "delivery": "Delivered", "command": "Command", "answer": "Answer", lag: "Generator late",
}

// classesPlot draws how often each class was seen, a row of bars for each, scaled to its own highest.
func (l loaded) classesPlot(id, title string, of func(evidence.LoadPoint) []evidence.LoadClass) (loadPlot, bool) {
	totals, highest := map[string]uint64{}, map[string]uint64{}
	for _, q := range l.Points {
		for _, c := range of(q) {
			totals[c.Name] += c.Count
			highest[c.Name] = max(highest[c.Name], c.Count)
		}
	}
	if len(totals) == 0 {
		return loadPlot{}, false
	}
	names := slices.SortedFunc(maps.Keys(totals), func(a, b string) int {
		return cmp.Or(cmp.Compare(totals[b], totals[a]), strings.Compare(a, b))
	})
	note := "Each row is scaled to its own highest."
	if len(names) > mostRows {
		note += fmt.Sprintf(" %d more classes are not drawn.", len(names)-mostRows)
		names = names[:mostRows]
	}
	p := l.begin(id, title+" over time")
	const barHigh = 24.0
	class := map[string]string{"errors": "density refused", "answers": "density in"}[id]
	width := max((plotRight-plotLeft)*float64(max(l.Every, 1))/(p.to-p.from)*0.9, 1)
	var said []string
	for _, name := range names {
		label := fmt.Sprintf("%s: %s", shorten(name, 90), thousands(int64(totals[name])))
		if peak := float64(highest[name]) / float64(max(l.Every, 1)); totals[name] > highest[name] {
			label += fmt.Sprintf(", up to %s a second", figure(peak))
		}
		p.Texts = append(p.Texts, plotText{X: plotLeft, Y: p.y + 4, Class: "said", Text: label})
		var d strings.Builder
		bottom := p.y + 10 + barHigh
		for _, q := range l.Points {
			for _, c := range of(q) {
				if c.Name == name {
					high := max(barHigh*float64(c.Count)/float64(highest[name]), 1.5)
					d.WriteString(box(p.x(float64(q.Second)), bottom-high, width, high))
				}
			}
		}
		p.Shapes = append(p.Shapes,
			plotShape{Class: "grid", D: fmt.Sprintf("M%.0f %.1fH%.0f", plotLeft, bottom, plotRight)}, plotShape{Class: class, D: d.String(), Title: name})
		p.y += 10 + barHigh + 18
		said = append(said, name+" "+thousands(int64(totals[name])))
	}
	p.lane(loadTop-9, map[string]string{"errors": "Failures", "answers": "Answers"}[id])
	p.y += panelGap - 18
	p.Desc = strings.Join(said, "; ") + "."
	return p.end(note), true
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
