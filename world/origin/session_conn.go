package origin

import (
	"net"
	"os"
	"time"
)

// ReadFrom, WriteTo and the rest make a session the connection that pion/dtls speaks on.
func (s *session) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		s.mu.Lock()
		deadline, moved := s.deadline, s.moved
		s.mu.Unlock()
		var over <-chan time.Time
		if !deadline.IsZero() {
			over = time.After(time.Until(deadline))
		}
		select {
		case d := <-s.in:
			return copy(b, d.raw), d.from, nil
		case <-s.gone:
			return 0, nil, net.ErrClosed
		case <-over:
			return 0, nil, os.ErrDeadlineExceeded
		case <-moved:
		}
	}
}

// WriteTo is that of net.PacketConn.
func (s *session) WriteTo(b []byte, to net.Addr) (int, error) {
	if s.ended() {
		return len(b), nil
	}
	return s.x.s.Path.WriteTo(b, to)
}

// Close is that of net.PacketConn.
func (s *session) Close() error {
	s.drop()
	return nil
}

// LocalAddr is that of net.PacketConn.
func (s *session) LocalAddr() net.Addr { return s.x.s.Addr() }

// SetDeadline is that of net.PacketConn.
func (s *session) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// SetReadDeadline is that of net.PacketConn.
func (s *session) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	close(s.moved)
	s.moved = make(chan struct{})
	return nil
}

// SetWriteDeadline is that of net.PacketConn; writes do not wait.
func (s *session) SetWriteDeadline(time.Time) error { return nil }
