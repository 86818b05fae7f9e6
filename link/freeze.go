package link

// Freeze holds everything back, as when a radio link is away for a while. After undo the traffic resumes: what the part sent in the
// meantime is read, what was written goes out, a FIN or RST of the stand-in too. When the part ends a connection in the meantime, its
// Close event is logged at once.
func (s *Stream) Freeze() (undo func()) {
	s.hush(&s.freezes, 1)
	return s.impair("freeze", func() {
		s.hush(&s.freezes, -1)
	})
}
