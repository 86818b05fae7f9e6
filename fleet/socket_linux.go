package fleet

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dial begins a TCP connection, or makes a connected UDP socket; from may be the zero address. The socket does not block.
func dial(to netip.AddrPort, from netip.Addr, datagrams bool) (int32, error) {
	family, kind := unix.AF_INET, unix.SOCK_STREAM
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	if datagrams {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if !datagrams {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if from.IsValid() {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if err := unix.Bind(fd, address(netip.AddrPortFrom(from, 0))); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("bind to %s: %w", from, err)
		}
	}
	if err := unix.Connect(fd, address(to)); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, fmt.Errorf("connect: %w", err)
	}
	return int32(fd), nil
}

func address(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// dialled is how a connection that was begun came out.
func dialled(fd int32) error {
	n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return fmt.Errorf("getsockopt: %w", err)
	case n != 0:
		return fmt.Errorf("connect: %w", unix.Errno(n))
	}
	return nil
}

// errAgain means that a socket has nothing to read, or no room to write.
const errAgain = unix.EAGAIN

// read reads what a socket has; n is 0 at its end.
func read(fd int32, into []byte) (n int, err error) {
	for {
		got, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(into))), uintptr(len(into)))
		switch errno {
		case 0:
			return int(got), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// write writes as much as a socket takes.
func write(fd int32, b []byte) (n int, err error) {
	for {
		done, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(done), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// shut closes a socket; with a reset, the other side sees an RST.
func shut(fd int32, reset bool) {
	if reset {
		_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	unix.Close(int(fd))
}

// lend is a second handle to a socket, for code that wants a net.Conn; closing it leaves the socket open. It is for the loop, which alone
// knows that the number is still that of the socket; open makes the net.Conn, may be called by others, and is to be called once.
func lend(fd int32) (open func() (net.Conn, error)) {
	again, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return func() (net.Conn, error) {
		if err != nil {
			return nil, fmt.Errorf("dup: %w", err)
		}
		f := os.NewFile(uintptr(again), "socket")
		defer f.Close()
		return net.FileConn(f)
	}
}
