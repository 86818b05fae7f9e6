package link

import "fmt"

// Slow limits what is sent to the part on each connection to bytesPerSecond of device time; below 1 counts as 1.
func (s *Stream) Slow(bytesPerSecond int) (undo func()) {
	rate := max(1, bytesPerSecond)
	return s.impair(fmt.Sprintf("slow: %d bytes/s", rate), s.rate.Push(rate))
}
