package frame

import (
	"fmt"
	"math/rand/v2"
)

// Loss loses each frame with probability p, independently of the others.
func (l *Link) Loss(which Way, p float64) (undo func()) {
	return l.impair(which, fmt.Sprintf("loss %.3g %%", p*100), func(d *way) func() { return d.loss.push(chance{p}) })
}

// chance is something that happens to a frame with probability p.
type chance struct{ p float64 }

func (c *chance) happens(rng *rand.Rand) bool { return rng.Float64() < c.p }
