//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// server is a far end: one event loop over epoll that is never what limits a run. It listens at 127.0.0.1 and at all other addresses of
// the machine's loopback, and is asked for its figures over standard input.
type server struct {
	figures
	setup
	serve   func(c *conn, in []byte) (used int, err error) // takes what is whole of in
	poll    int
	conns   []*conn // by file descriptor
	answers []answer
	buffer  []byte
	asked   []byte
	frozen  time.Time // when the first message came: the beat of the freezes counts from there
	log     lateness
}

// conn is one connection.
type conn struct {
	fd   int
	id   int64
	rest []byte // of a packet that is not whole yet
	send func([]byte) error

	five bool // MQTT 5
}

// answer is one that waits for its time.
type answer struct {
	at    time.Time
	to    *conn
	bytes []byte
}

// listen opens the port, which others may have open already, and runs the loop until standard input ends.
func (s *server) listen() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	for _, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return fmt.Errorf("set option of listener: %w", err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: s.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return fmt.Errorf("bind port %d: %w", s.Port, err)
	}
	if err := unix.Listen(fd, 4096); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := s.open(fd); err != nil {
		return err
	}
	return s.loop(fd)
}

// open begins to wait for a listener or socket and for standard input.
func (s *server) open(fd int) (err error) {
	if s.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create epoll: %w", err)
	}
	s.buffer = make([]byte, 256<<10)
	for _, f := range []int{0, fd} {
		if err := s.watch(f); err != nil {
			return err
		}
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return fmt.Errorf("name of listener: %w", err)
	}
	s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
	say(s.figures)
	return nil
}

func (s *server) watch(fd int) error {
	if err := unix.EpollCtl(s.poll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("watch %d: %w", fd, err)
	}
	return nil
}

func (s *server) loop(listener int) error {
	events := make([]unix.EpollEvent, 512)
	for {
		s.freeze()
		n, err := unix.EpollWait(s.poll, events, s.wait())
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait: %w", err)
		}
		s.release()
		for _, e := range events[:max(n, 0)] {
			switch fd := int(e.Fd); fd {
			case 0:
				if s.ask() {
					return nil
				}
			case listener:
				if err := s.accept(listener); err != nil {
					return err
				}
			default:
				s.read(s.conns[fd])
			}
		}
	}
}

// freeze sleeps through the last part of each span in which the far end is to do nothing, and logs when.
func (s *server) freeze() {
	if s.FreezeFor == 0 || s.frozen.IsZero() {
		return
	}
	now := time.Now()
	in := now.Sub(s.frozen) % s.FreezeEach
	if in < s.FreezeEach-s.FreezeFor {
		return
	}
	time.Sleep(s.FreezeEach - in)
	s.Freezes = append(s.Freezes, [2]int64{now.UnixMicro(), time.Now().UnixMicro()})
}

// wait is for how long the loop may sleep, in milliseconds.
func (s *server) wait() int {
	most := -1
	if s.FreezeFor > 0 {
		most = 1
	}
	if len(s.answers) > 0 {
		return int(max(0, time.Until(s.answers[0].at).Milliseconds()))
	}
	return most
}

// release sends the answers whose time has come.
func (s *server) release() {
	for len(s.answers) > 0 && time.Until(s.answers[0].at) < time.Millisecond {
		a := s.answers[0]
		s.answers = s.answers[1:]
		if a.to.fd > 0 {
			a.to.send(a.bytes)
		}
	}
}

// reply sends an answer, at once or after the delay.
func (s *server) reply(c *conn, b []byte) error {
	if s.Delay > 0 {
		s.answers = append(s.answers, answer{time.Now().Add(s.Delay), c, bytes.Clone(b)})
		return nil
	}
	return c.send(b)
}

// ask does what is asked on standard input, and reports whether that has ended.
func (s *server) ask() (ended bool) {
	n, err := unix.Read(0, s.buffer)
	if n <= 0 && !errors.Is(err, unix.EINTR) {
		return true
	}
	s.asked = append(s.asked, s.buffer[:max(n, 0)]...)
	for {
		line, rest, whole := bytes.Cut(s.asked, []byte("\n"))
		if !whole {
			return false
		}
		s.asked = rest
		if count, isCut := bytes.CutPrefix(line, []byte("cut ")); isCut {
			n, _ := strconv.Atoi(string(count)) // 0 cuts none
			s.cut(n)
		}
		s.Late = s.log.quantiles()
		say(s.figures)
	}
}

// cut ends some connections, without a word.
func (s *server) cut(n int) {
	for _, c := range s.conns {
		if n > 0 && c != nil && c.fd > 0 {
			s.close(c)
			n--
		}
	}
}

func (s *server) accept(listener int) error {
	for range 64 {
		fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR):
			return nil
		case err != nil:
			return fmt.Errorf("accept connection %d: %w", s.Open+1, err)
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if err := s.watch(fd); err != nil {
			return err
		}
		for len(s.conns) <= fd {
			s.conns = append(s.conns, nil)
		}
		s.Accepted++
		s.Open++
		c := &conn{fd: fd, id: s.Accepted}
		c.send = func(b []byte) error {
			_, err := unix.Write(c.fd, b)
			return err
		}
		s.conns[fd] = c
	}
	return nil
}

func (s *server) close(c *conn) {
	unix.Close(c.fd)
	s.conns[c.fd] = nil
	c.fd = -1
	s.Open--
}

func (s *server) read(c *conn) {
	if c == nil {
		return // cut in this same round
	}
	n, err := unix.Read(c.fd, s.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return
	case err != nil, n == 0:
		s.close(c)
		return
	}
	s.Bytes += int64(n)
	if s.take(c, s.buffer[:n]) != nil {
		s.close(c)
	}
}

// take gives what was read to the protocol, after what was left of the last time, and keeps what is left now.
func (s *server) take(c *conn, in []byte) error {
	if len(c.rest) > 0 {
		in = append(c.rest, in...)
	}
	for len(in) > 0 {
		used, err := s.serve(c, in)
		if err != nil {
			return err
		}
		if used == 0 {
			break
		}
		in = in[used:]
	}
	c.rest = append([]byte(nil), in...)
	return nil
}
