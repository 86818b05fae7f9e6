//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// httpSink is the far end of HTTP: every request is answered with 204.
func httpSink(s setup) error {
	h := &server{setup: s}
	h.serve = func(c *conn, in []byte) (used int, err error) {
		end := bytes.Index(in, []byte("\r\n\r\n"))
		if end < 0 {
			return 0, nil
		}
		body := 0
		for line := range bytes.SplitSeq(in[:end], []byte("\r\n")) {
			const name = "content-length:"
			if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
				if body, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
					return 0, err
				}
			}
		}
		if len(in) < end+4+body {
			return 0, nil
		}
		h.Messages[0]++
		return end + 4 + body, h.reply(c, []byte("HTTP/1.1 204 No Content\r\n\r\n"))
	}
	return h.listen()
}

// coapSink is the far end of CoAP over UDP: every request is answered with 2.04, in the acknowledgement if it is confirmable.
func coapSink(s setup) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20); err != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 8<<20) // what an ordinary user may have
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: s.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind port %d: %w", s.Port, err)
	}
	c := &server{setup: s}
	if err := c.open(fd); err != nil {
		return err
	}
	events := make([]unix.EpollEvent, 2)
	for {
		n, err := unix.EpollWait(c.poll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == 0 {
				if c.ask() {
					return nil
				}
				continue
			}
			c.datagrams(fd)
		}
	}
}

// datagrams answers what has come, up to some number of requests.
func (s *server) datagrams(fd int) {
	var ack [12]byte
	for range 256 {
		n, from, err := unix.Recvfrom(fd, s.buffer, 0)
		if err != nil {
			return
		}
		in := s.buffer[:n]
		token := int(s.buffer[0] & 0x0f)
		if n < 4+token || token > 8 || in[0]>>6 != 1 {
			s.Bad++
			continue
		}
		s.Messages[0]++
		s.Bytes += int64(n)
		copy(ack[:], in[:4+token])
		ack[0] = 0x60 | byte(token)
		if in[0]>>4&3 == 1 { // not confirmable: nor is the answer
			ack[0] = 0x50 | byte(token)
		}
		ack[1] = 0x44 // 2.04 Changed
		if unix.Sendto(fd, ack[:4+token], 0, from) == nil {
			s.Acked++
		}
	}
}
