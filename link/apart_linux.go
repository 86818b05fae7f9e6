package link

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// sendApart writes b as a TCP segment of its own. MSG_EOR keeps the kernel from joining it with what comes after, also when it has to
// wait in the send queue; TCP_NODELAY, which Go sets on every connection, keeps it from waiting for more.
func sendApart(raw net.Conn, b []byte) (n int, err error) {
	socket, ok := raw.(syscall.Conn)
	if !ok {
		return raw.Write(b)
	}
	rc, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = rc.Write(func(fd uintptr) bool {
		n, failed = unix.SendmsgN(int(fd), b, nil, nil, unix.MSG_EOR|unix.MSG_NOSIGNAL)
		return failed != unix.EAGAIN && failed != unix.EINTR
	})
	if err == nil {
		err = failed
	}
	return max(n, 0), err
}
