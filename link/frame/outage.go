package frame

import "sync"

// Outage takes the link down: nothing passes, what was on its way is lost, and the near end has no carrier.
func (l *Link) Outage() (undo func()) {
	healed := l.impair(Both, "link down", outage)
	back := l.carrier.lose()
	return sync.OnceFunc(func() {
		healed()
		back()
	})
}

func outage(d *way) (undo func()) {
	d.queue.due = d.queue.due[:0]
	return d.outages.push(struct{}{})
}
