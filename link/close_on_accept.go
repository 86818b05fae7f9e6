package link

// CloseOnAccept ends every new connection right after the kernel has completed it, with a RST or a FIN. The stand-in never gets it.
func (s *Stream) CloseOnAccept(reset bool) (undo func()) {
	how := endingOf(reset)
	return s.impair("close on accept: "+how.String(), s.onAccept.Push(how))
}
