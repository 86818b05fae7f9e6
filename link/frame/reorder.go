package frame

import (
	"fmt"
	"time"
)

// Reorder holds each frame back with probability p for so long that those which follow within that time overtake it.
func (l *Link) Reorder(which Way, p float64, by time.Duration) (undo func()) {
	return l.impair(which, fmt.Sprintf("reordering %.3g %% by %s", p*100, by), func(d *way) func() {
		undo := d.reordering.push(reorder{chance{p}, l.wall(by)})
		return func() {
			undo()
			d.release()
			d.again()
		}
	})
}

type reorder struct {
	chance
	by time.Duration // wall time
}
