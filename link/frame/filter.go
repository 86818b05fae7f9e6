package frame

// Filter reports whether a frame may pass. It must not keep or change it.
type Filter func(frame []byte) bool

// Filter swallows the frames for which keep is false; what says which these are, as in "UDP to port 123". Several filters all count.
func (l *Link) Filter(which Way, what string, keep Filter) (undo func()) {
	return l.impair(which, "swallows "+what, func(d *way) func() { return d.filters.push(keep) })
}
