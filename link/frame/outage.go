package frame

// Outage takes the link down: nothing passes, and what was on its way is lost.
func (l *Link) Outage() (undo func()) {
	return l.impair(Both, "link down", outage)
}

func outage(d *way) (undo func()) {
	d.queue.due = d.queue.due[:0]
	return d.outages.push(struct{}{})
}
