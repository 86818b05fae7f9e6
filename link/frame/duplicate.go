package frame

import "fmt"

// Duplicate delivers each frame twice with probability p.
func (l *Link) Duplicate(which Way, p float64) (undo func()) {
	return l.impair(which, fmt.Sprintf("duplicates %.3g %%", p*100), func(d *way) func() { return d.duplicates.push(chance{p}) })
}
