package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// kneePlot draws what became of each load that was tried: how much of it was taken, and how long it took.
func (l loaded) kneePlot() (loadPlot, bool) {
	c := l.Capacity
	if len(c.Steps) == 0 {
		return loadPlot{}, false
	}
	most, p99 := 0.0, 0.0
	low := math.Inf(1)
	for _, s := range c.Steps {
		most = max(most, s.Offered, s.Reached)
		p99 = max(p99, s.P99)
		if s.P99 > 0 {
			low = min(low, s.P99)
		}
	}
	scale := niceStep(max(most, 1) / 4)
	p := &loadPlotter{plotter: plotter{plot: plot{ID: l.ID + "knee", Title: "The load up to which the limits held"}, to: scale * math.Ceil(most/scale), y: loadTop}}
	p.Shapes = append(p.Shapes, plotShape{Class: "window", Title: "the limits begin to break in here"})
	taken := p.panel("Taken", 0, p.to, false, figure)
	p.Shapes = append(p.Shapes, plotShape{
		Class: "series meant", D: fmt.Sprintf("M%.1f %.1fL%.1f %.1f", p.x(0), taken.y(0), p.x(p.to), taken.y(p.to)), Title: "all that is offered",
	})
	p.steps(c.Steps, taken, func(s evidence.LoadStep) float64 { return s.Reached })
	if p99 > 0 {
		bottom := math.Pow(10, math.Floor(math.Log10(low)))
		n := p.panel("p99", bottom, math.Pow(10, math.Ceil(math.Log10(max(p99, bottom*10))-1e-9)), true, span)
		p.steps(c.Steps, n, func(s evidence.LoadStep) float64 { return s.P99 })
	}
	p.y -= panelGap - 8
	var grid strings.Builder
	for v := 0.0; v <= p.to*1.001; v += scale {
		p.mark(p.x(v), figure(v))
		fmt.Fprintf(&grid, "M%.1f %.0fV%.1f", p.x(v), loadTop-10, p.y)
	}
	keys := []loadKey{{"held", "the limits held"}, {"broken", "a limit broke"}, {"meant", "all that is offered"}}
	if slices.ContainsFunc(c.Steps, func(s evidence.LoadStep) bool { return s.Outcome == evidence.LimitUnknown }) {
		keys = append(keys, loadKey{"open", "not known"})
	}
	if c.High > c.Low {
		p.Shapes[0].D = box(p.x(c.Low), loadTop-10, max(p.x(c.High)-p.x(c.Low), 2), p.y-loadTop+10)
		keys = append([]loadKey{{"window", "where they begin to break"}}, keys...)
	}
	p.Shapes = slices.Insert(p.Shapes, 0, plotShape{Class: "grid", D: grid.String()})
	p.Height = p.y + 26
	p.Desc = l.Knee()
	return loadPlot{plot: &p.plot, Keys: keys, Note: fmt.Sprintf("From left to right: offered, in %s.", c.Unit)}, true
}

// steps draws a mark for each load that was tried, by its outcome.
func (p *loadPlotter) steps(steps []evidence.LoadStep, n panel, value func(evidence.LoadStep) float64) {
	for _, s := range slices.SortedStableFunc(slices.Values(steps), func(a, b evidence.LoadStep) int { return cmp.Compare(a.Offered, b.Offered) }) {
		v := value(s)
		if v <= 0 && n.log {
			continue
		}
		x, y := p.x(s.Offered), n.y(v)
		class := map[evidence.LimitOutcome]string{evidence.LimitHeld: "held", evidence.LimitBroken: "broken", evidence.LimitUnknown: "open"}[s.Outcome]
		p.Shapes = append(p.Shapes, plotShape{
			Class: "step " + class, D: fmt.Sprintf("M%.1f %.1fm-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z", x, y),
			Title: fmt.Sprintf("%s offered: %s", figure(s.Offered), s.Seen),
		})
	}
}
