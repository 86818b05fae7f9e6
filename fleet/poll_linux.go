package fleet

import (
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// eventLoops says whether this system has them; without, every connection has goroutines.
const eventLoops = true

// poll waits for sockets by epoll(7). Only wake may be called from another goroutine.
type poll struct {
	fd, bell int
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
	p := &poll{fd: fd, bell: bell}
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
	unix.Close(p.fd)
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

// brief is the longest call of the system at a time. The Go runtime is not told of it: it would look every 20 µs whether it is over, for 6 % of
// a processor, and take the processor away from the loop. So a collection of garbage may have to wait for it.
const brief = 2 * time.Millisecond

// wait waits until something happens or a time has passed, and calls each for every socket on which it did.
func (p *poll) wait(d time.Duration, each func(ready)) error {
	for end := time.Now().Add(d); ; {
		happened, err := p.take(max(0, min(d, brief)), each)
		if d = time.Until(end); happened || err != nil || d <= 0 {
			return err
		}
	}
}

// take waits for a time in the kernel.
func (p *poll) take(d time.Duration, each func(ready)) (happened bool, err error) {
	ts := unix.NsecToTimespec(d.Nanoseconds())
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
