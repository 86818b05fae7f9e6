package link

import (
	"fmt"
	"net"
)

// Move has the link wait for the part elsewhere from now on. Its old port is closed; connections that are open stay so. It fails while the
// port is refused, and with net.ErrClosed after Close.
func (s *Stream) Move(listen Listen) error {
	ln, err := listen()
	if err != nil {
		return fmt.Errorf("move link %s: %w", s.name, err)
	}
	s.mu.Lock()
	old := s.listener
	if s.closed || old == nil {
		s.mu.Unlock()
		ln.Close()
		return fmt.Errorf("move link %s: its port is refused: %w", s.name, net.ErrClosed)
	}
	s.listen, s.addr, s.listener = listen, ln.Addr(), ln
	s.tasks.Go(func() { s.serve(ln) })
	s.mu.Unlock()
	return old.Close()
}
