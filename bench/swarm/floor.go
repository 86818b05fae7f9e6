//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The floors move the bytes that a fleet moves, at the pace of a fleet, and do nothing else: one thread, raw calls of the system, packets
// that were made before. No load generator can be cheaper that sends each message with a call of its own.

// wires are the connections of a floor.
type wires struct {
	setup
	to     unix.SockaddrInet4
	poll   int
	fds    []int
	events []unix.EpollEvent
	in     []byte
}

const perSource = 10_000 // connections from one source address: of 28,232 ports the search gets slow from half on

func newWires(s setup) (*wires, error) {
	to, err := netip.ParseAddrPort(s.To)
	if err != nil {
		return nil, fmt.Errorf("parse address of the far end: %w", err)
	}
	w := &wires{
		setup: s, to: unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()},
		events: make([]unix.EpollEvent, 512), in: make([]byte, 64<<10),
	}
	if w.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create epoll: %w", err)
	}
	return w, nil
}

// dial begins the next connection.
func (w *wires) dial(kind int) error {
	n := len(w.fds)
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket %d: %w", n, err)
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + n/perSource)}}); err != nil {
		return fmt.Errorf("bind socket %d: %w", n, err)
	}
	if kind == unix.SOCK_STREAM {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err := unix.Connect(fd, &w.to); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connect socket %d: %w", n, err)
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLET&0xffffffff, Fd: int32(fd)}
	if err := unix.EpollCtl(w.poll, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
		return fmt.Errorf("watch socket %d: %w", n, err)
	}
	w.fds = append(w.fds, fd)
	return nil
}

// join connects all, at the rate, or as fast as it goes in flights of 100 when there is none. It writes hello on each connection once it
// stands, and waits for an answer of that many bytes. It returns how late each was begun.
func (w *wires) join(hello func(n int) []byte, answer, rate int) (late lateness, err error) {
	at := map[int32]int{}
	up, start := 0, time.Now()
	late = make(lateness, 0, w.Conns)
	for up < w.Conns {
		for now := time.Now(); len(w.fds) < w.Conns; {
			due := start.Add(time.Duration(len(w.fds)) * time.Second / time.Duration(max(rate, 1)))
			if rate == 0 && len(w.fds)-up >= 100 || rate > 0 && due.After(now) {
				break
			}
			if err := w.dial(unix.SOCK_STREAM); err != nil {
				return nil, err
			}
			at[int32(w.fds[len(w.fds)-1])] = len(w.fds) - 1
			late = append(late, now.Sub(due))
		}
		n, err := unix.EpollWait(w.poll, w.events, 1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return nil, fmt.Errorf("wait: %w", err)
		}
		for _, e := range w.events[:max(n, 0)] {
			if e.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
				return nil, fmt.Errorf("connection %d of %d was ended by the far end", at[e.Fd], w.Conns)
			}
			if e.Events&unix.EPOLLIN != 0 {
				got, err := unix.Read(int(e.Fd), w.in)
				if err != nil || got != answer {
					return nil, fmt.Errorf("answer on connection %d has %d bytes: %v", at[e.Fd], got, err)
				}
				up++
			} else if _, err := unix.Write(int(e.Fd), hello(at[e.Fd])); err != nil {
				return nil, fmt.Errorf("write on connection %d: %w", at[e.Fd], err)
			}
		}
	}
	return late, nil
}

// pace sends messages on the connections in turn, each as soon as it is due, in ticks of a millisecond, for as long as it is told. Where
// answers of a known length are expected it reads them. It returns how late the messages were.
func (w *wires) pace(message func(n, seq int, due time.Time) []byte, answer int) (f figures, err error) {
	if w.Rate == 0 {
		return w.spin(message, answer)
	}
	start := time.Now()
	total := int(w.For.Seconds() * float64(w.Rate))
	late := make(lateness, 0, total)
	between := time.Second / time.Duration(w.Rate)
	read := 0
	for sent := 0; sent < total; {
		now := time.Now()
		for ; sent < total; sent++ {
			due := start.Add(time.Duration(sent) * between)
			if due.After(now) {
				break
			}
			n := sent % len(w.fds)
			if _, err := unix.Write(w.fds[n], message(n, sent/len(w.fds), due)); err != nil {
				return f, fmt.Errorf("write message %d: %w", sent, err)
			}
			late = append(late, now.Sub(due))
		}
		if answer == 0 { // not time.Sleep: the Go runtime's own sleep wakes up more than one thread
			tick := unix.NsecToTimespec(int64(time.Millisecond))
			unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&tick)), 0, 0)
			continue
		}
		for end := now.Add(time.Millisecond); time.Now().Before(end); {
			got, err := w.answers(1)
			if err != nil {
				return f, err
			}
			read += got
		}
	}
	for end := time.Now().Add(2 * time.Second); answer > 0 && read < total*answer && time.Now().Before(end); {
		got, err := w.answers(10)
		if err != nil {
			return f, err
		}
		read += got
	}
	f.Messages[w.QoS], f.Late = int64(total), late.quantiles()
	if answer > 0 {
		f.Acked = int64(read / answer)
	}
	return f, nil
}

// spin is the closed model: each connection sends as soon as it has the answer to its last message.
func (w *wires) spin(message func(n, seq int, due time.Time) []byte, answer int) (f figures, err error) {
	at, sent := map[int32]int{}, 0
	send := func(n int) error {
		sent++
		if _, err := unix.Write(w.fds[n], message(n, sent, time.Time{})); err != nil {
			return fmt.Errorf("write message %d: %w", sent, err)
		}
		return nil
	}
	for n, fd := range w.fds {
		at[int32(fd)] = n
		if err := send(n); err != nil {
			return f, err
		}
	}
	for end := time.Now().Add(w.For); time.Now().Before(end); {
		n, err := unix.EpollWait(w.poll, w.events, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return f, fmt.Errorf("wait: %w", err)
		}
		for _, e := range w.events[:max(n, 0)] {
			if got, err := unix.Read(int(e.Fd), w.in); err != nil || got == 0 {
				continue // only writable
			}
			f.Acked++
			if err := send(at[e.Fd]); err != nil {
				return f, err
			}
		}
	}
	f.Messages[w.QoS] = int64(sent)
	return f, nil
}

// answers reads what has come, after waiting for some milliseconds at most.
func (w *wires) answers(wait int) (read int, err error) {
	n, err := unix.EpollWait(w.poll, w.events, wait)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return 0, fmt.Errorf("wait: %w", err)
	}
	for _, e := range w.events[:max(n, 0)] {
		if e.Events&unix.EPOLLIN == 0 {
			continue
		}
		got, err := unix.Read(int(e.Fd), w.in)
		if err != nil || got == 0 {
			return 0, fmt.Errorf("read %d bytes: %v", got, err)
		}
		read += got
	}
	return read, nil
}
