package link

import "fmt"

// Segment makes what is sent to the part leave in TCP segments of at most n bytes; n below 1 counts as 1. The segments come at least
// a millisecond apart at first, so that a part which reads at once gets its message in pieces.
func (s *Stream) Segment(n int) (undo func()) {
	n = max(1, n)
	return s.impair(fmt.Sprintf("segments of %d bytes", n), s.segment.Push(n))
}
