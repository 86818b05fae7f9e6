//go:build unix

package link

import (
	"context"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reserve takes a TCP port of this machine, that of address or a free one when its port is 0, and keeps it until release is called. The
// port is open only while a listener that listen gave is: in between it refuses connections, and nobody else can get it. Without this, a
// port that Refuse has closed may become that of another link, and a device that tries to come back would meet a stranger.
func Reserve(address string) (listen Listen, release func(), err error) {
	shared := net.ListenConfig{Control: share}
	first, err := shared.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("reserve a port: %w", err)
	}
	at := first.Addr().(*net.TCPAddr)
	fd, err := keeper(at)
	if err != nil {
		first.Close()
		return nil, nil, fmt.Errorf("reserve port %d: %w", at.Port, err)
	}
	return func() (net.Listener, error) {
		if l := first; l != nil {
			first = nil
			return l, nil
		}
		return shared.Listen(context.Background(), "tcp", at.String())
	}, func() { unix.Close(fd) }, nil
}

// share lets the keeper and the listener have the port together.
func share(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	if err != nil {
		return err
	}
	return failed
}

// keeper is a socket that is bound to an address and does not listen.
func keeper(at *net.TCPAddr) (fd int, err error) {
	family, to := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: at.Port, Addr: [16]byte(at.IP.To16())})
	if v4 := at.IP.To4(); v4 != nil {
		family, to = unix.AF_INET, &unix.SockaddrInet4{Port: at.Port, Addr: [4]byte(v4)}
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	if err == nil {
		err = unix.Bind(fd, to)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
