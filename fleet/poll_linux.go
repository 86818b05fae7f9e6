package fleet

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// eventLoops says whether this system has them; without, every connection has goroutines.
const eventLoops = true

// poll waits for sockets by epoll(7). Only wake may be called from another goroutine.
type poll struct {
	fd, bell int
	file     *os.File // of fd
	raw      syscall.RawConn
	events   [256]unix.EpollEvent

	mu     sync.Mutex
	closed bool // the numbers of its files may be those of others by now
}

// ready is a socket on which something happened; owner and turn are what it was added with.
type ready struct {
	owner, turn int32
	in, out     bool
}

func newPoll() (*poll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	_ = unix.SetNonblock(fd, true) // so that the runtime may wait for it
	p := &poll{fd: fd, bell: bell, file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.close()
		return nil, fmt.Errorf("wait for sockets: %w", err)
	}
	if err := p.control(unix.EPOLL_CTL_ADD, bell, -1, 0, unix.EPOLLIN); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poll) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.file.Close()
	unix.Close(p.bell)
}

// own makes the calling goroutine the one that waits: it gets a thread of its own, whose timers are exact.
func (p *poll) own() {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
}

func (p *poll) control(op, fd int, owner, turn int32, events uint32) error {
	e := unix.EpollEvent{Events: events, Fd: owner, Pad: turn}
	if _, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&e)), 0, 0); errno != 0 {
		return fmt.Errorf("epoll_ctl: %w", errno)
	}
	return nil
}

// add watches a socket for what comes in, and, with out, for room to write.
func (p *poll) add(fd, owner, turn int32, out bool) error {
	return p.control(unix.EPOLL_CTL_ADD, int(fd), owner, turn, interest(out))
}

// change says anew whether room to write matters.
func (p *poll) change(fd, owner, turn int32, out bool) error {
	return p.control(unix.EPOLL_CTL_MOD, int(fd), owner, turn, interest(out))
}

// remove forgets a socket that stays open.
func (p *poll) remove(fd int32) { _ = p.control(unix.EPOLL_CTL_DEL, int(fd), 0, 0, 0) }

func interest(out bool) uint32 {
	if out {
		return unix.EPOLLIN | unix.EPOLLOUT
	}
	return unix.EPOLLIN
}

// brief is a wait of which the Go runtime need not know: told of it, it would take the processor away from the loop and give it back. What
// the loop cannot be interrupted in must be brief, since a garbage collection waits for it.
const brief = 2 * time.Millisecond

// wait waits until something happens or a time has passed, and calls each for every socket on which it did. The runtime waits for all but
// the last of a long time, as for a connection: a call of the system that takes long has it look every 20 µs whether it is over, for 6 % of
// a processor.
func (p *poll) wait(d time.Duration, each func(ready)) error {
	if d > brief {
		happened, err := p.park(d-brief, each)
		if happened || err != nil {
			return err
		}
		d = brief
	}
	_, err := p.take(d, each)
	return err
}

// park waits by the runtime's own poller.
func (p *poll) park(d time.Duration, each func(ready)) (happened bool, err error) {
	if err := p.file.SetReadDeadline(time.Now().Add(d)); err != nil {
		return false, fmt.Errorf("wait for sockets: %w", err)
	}
	var failed error
	err = p.raw.Read(func(uintptr) bool {
		happened, failed = p.take(0, each)
		return happened || failed != nil
	})
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return happened, fmt.Errorf("wait for sockets: %w", err)
	}
	return happened, failed
}

// take waits for a time in the kernel.
func (p *poll) take(d time.Duration, each func(ready)) (happened bool, err error) {
	ts := unix.NsecToTimespec(max(0, d.Nanoseconds()))
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(unsafe.Pointer(&ts)), 0, 0)
	if errno == unix.ENOSYS { // before Linux 5.11: whole milliseconds
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)),
			uintptr((d+time.Millisecond-1)/time.Millisecond), 0, 0)
	}
	if errno == unix.EINTR {
		return false, nil
	}
	if errno != 0 {
		return false, fmt.Errorf("wait for sockets: %w", errno)
	}
	for _, e := range p.events[:n] {
		if e.Fd == -1 {
			var counter [8]byte
			_, _ = unix.Read(p.bell, counter[:])
			continue
		}
		each(ready{
			owner: e.Fd, turn: e.Pad,
			in:  e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLRDHUP) != 0,
			out: e.Events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0,
		})
	}
	return n > 0, nil
}

// wake ends the wait. After close it does nothing.
func (p *poll) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		one := [8]byte{1}
		_, _ = unix.Write(p.bell, one[:])
	}
}
