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
