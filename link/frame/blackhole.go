package frame

// Blackhole swallows every frame: the link looks up, and nothing gets through.
func (l *Link) Blackhole(which Way) (undo func()) {
	return l.impair(which, "black hole", func(d *way) func() { return d.holes.push(struct{}{}) })
}
