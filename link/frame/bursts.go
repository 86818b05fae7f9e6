package frame

import (
	"fmt"
	"math/rand/v2"
)

// GilbertElliott is loss in bursts: a link that is good or bad, with a chance to change at each frame (Gilbert 1960, Elliott 1963).
// The mean length of a bad time is 1/Recover frames; the share of frames that fall into it is Worsen/(Worsen+Recover).
type GilbertElliott struct {
	Worsen  float64 // from good to bad, for each frame
	Recover float64 // from bad to good, for each frame
	Good    float64 // loss while it is good
	Bad     float64 // loss while it is bad
}

// Share is the share of frames that are lost in the long run.
func (g GilbertElliott) Share() float64 {
	if g.Worsen <= 0 {
		return g.Good // it begins good and stays so
	}
	bad := g.Worsen / (g.Worsen + g.Recover)
	return bad*g.Bad + (1-bad)*g.Good
}

func (g GilbertElliott) String() string {
	return fmt.Sprintf("loss in bursts, %.3g %% in all, bad for %.3g frames", 100*g.Share(), 1/max(g.Recover, 1e-9))
}

// Bursts loses frames in bursts. Bursts and Loss add up.
func (l *Link) Bursts(which Way, g GilbertElliott) (undo func()) {
	return l.impair(which, g.String(), func(d *way) func() { return d.bursts.push(bursts{GilbertElliott: g}) })
}

type bursts struct {
	GilbertElliott
	bad bool
}

func (b *bursts) happens(rng *rand.Rand) bool {
	p := b.Worsen
	if b.bad {
		p = b.Recover
	}
	if rng.Float64() < p {
		b.bad = !b.bad
	}
	loss := b.Good
	if b.bad {
		loss = b.Bad
	}
	return rng.Float64() < loss
}
