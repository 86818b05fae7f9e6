//go:build unix

package link

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// socket reads a connection in chunks. Where the kernel says when there is something to read, it takes a chunk only then.
type socket struct {
	net.Conn
	raw syscall.RawConn // nil: not a socket of the kernel
	got *chunk
	err error
	try func(fd uintptr) bool

	divert func(fd int) (diverted bool, err error)
}

// newSocket reads c. What divert takes from c first does not come out of next.
func newSocket(c net.Conn, divert func(fd int) (diverted bool, err error)) *socket {
	s := &socket{Conn: c, divert: divert}
	if sys, ok := c.(syscall.Conn); ok {
		if raw, err := sys.SyscallConn(); err == nil {
			s.raw, s.try = raw, s.tryRead
		}
	}
	return s
}

// next waits for something and gives it, for the caller to free. It is nil with an error, and when it was diverted.
func (s *socket) next() (*chunk, error) {
	if s.raw == nil {
		return readChunk(s.Conn)
	}
	s.got, s.err = nil, nil
	if err := s.raw.Read(s.try); err != nil { // closed, or after a deadline
		s.err = err
	}
	if s.err != nil && s.got != nil {
		s.got.free()
		s.got = nil
	}
	return s.got, s.err
}

// tryRead reads if that does not block; it says whether it did.
func (s *socket) tryRead(fd uintptr) bool {
	if diverted, err := s.divert(int(fd)); diverted {
		if err == nil || err == io.EOF {
			s.err = err
		} else if !errors.Is(err, syscall.EAGAIN) {
			s.err = s.failed("splice", err)
		}
		return !errors.Is(err, syscall.EAGAIN)
	}
	c := newChunk()
	n, err := syscall.Read(int(fd), c.bytes[:])
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), c.bytes[:])
	}
	switch {
	case err == nil && n > 0:
		c.to = n
		s.got = c
		return true
	case err == nil:
		s.err = io.EOF
	case errors.Is(err, syscall.EAGAIN):
		c.free()
		return false
	default:
		s.err = s.failed("read", err)
	}
	c.free()
	return true
}

func (s *socket) failed(call string, err error) error {
	return &net.OpError{Op: "read", Net: s.LocalAddr().Network(), Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: os.NewSyscallError(call, err)}
}
