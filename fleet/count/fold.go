package count

// at is the group of a message, which it makes room for.
func (s *source) at(seq uint32, watch int32) *group {
	if seq/64 < s.folded {
		s.unfold()
	}
	if s.groups == nil {
		s.groups = make([]group, 0, 2) // as many as a stream ever takes of which nothing is lost
	}
	for int(seq/64) >= int(s.folded)+len(s.groups) {
		s.fold(watch)
		s.groups = append(s.groups, group{})
	}
	return &s.groups[seq/64-s.folded]
}

// settled reports whether that is true of a message because its group is folded.
func (s *source) settled(seq uint32, m marks) bool { return seq/64 < s.folded && s.alike&m != 0 }

// fold keeps only the number of its first groups, but for the newest, as far as they are all alike: this is all that a stream takes of
// which nothing is lost, however long it goes on. Where somebody watches, a group is not folded before it arrived.
func (s *source) fold(watch int32) {
	for !s.plain && len(s.groups) > 1 {
		m, alike := s.groups[0].marks()
		if !alike || m == 0 || s.folded > 0 && m != s.alike || watch == watched && m&hasArrived == 0 {
			return
		}
		s.folded, s.alike = s.folded+1, m
		s.groups = append(s.groups[:0], s.groups[1:]...)
	}
}

// unfold gives all messages their own bits again, since something happens to one that is folded. That costs the more the longer the source
// is, so it is done once.
func (s *source) unfold() {
	s.groups, s.folded, s.plain = s.all(), 0, true
}

// each calls f with all groups from the first message on.
func (s *source) each(f func(i int, g group)) {
	for i := range s.folded {
		f(int(i), s.alike.group())
	}
	for i, g := range s.groups {
		f(int(s.folded)+i, g)
	}
}

// all are the groups from the first message on.
func (s *source) all() []group {
	if s.folded == 0 {
		return s.groups
	}
	groups := make([]group, 0, int(s.folded)+len(s.groups))
	s.each(func(_ int, g group) { groups = append(groups, g) })
	return groups
}

// marks are what is true of all messages of a group. It reports false when something is true of some alone.
func (g group) marks() (m marks, alike bool) {
	for bitmap := range 3 {
		switch *g.word(bitmap) {
		case 0:
		case ^uint64(0):
			m |= 1 << bitmap
		default:
			return 0, false
		}
	}
	return m, true
}

// group are 64 messages of which the same is true.
func (m marks) group() (g group) {
	for bitmap := range 3 {
		if m&(1<<bitmap) != 0 {
			*g.word(bitmap) = ^uint64(0)
		}
	}
	return g
}
