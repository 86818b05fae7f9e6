//go:build !unix

package link

import "net"

// socket reads a connection in chunks.
type socket struct{ net.Conn }

func newSocket(c net.Conn, _ func(fd int) (diverted bool, err error)) *socket { return &socket{c} }

// next waits for something and gives it, for the caller to free. It is nil with an error.
func (s *socket) next() (*chunk, error) { return readChunk(s.Conn) }
