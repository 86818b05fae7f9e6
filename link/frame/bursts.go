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

// Bursts loses frames in bursts. Two of them, or Bursts and Loss, add up.
func (l *Link) Bursts(which Way, g GilbertElliott) (undo func()) {
	text := fmt.Sprintf("loss in bursts: %.3g %% bad for %.3g frames", 100*g.Worsen/(g.Worsen+g.Recover), 1/g.Recover)
	return l.impair(which, text, func(d *way) func() { return d.bursts.push(&bursts{GilbertElliott: g}) })
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
