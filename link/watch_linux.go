package link

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// CanWatchRefused says whether WatchRefused works here. It needs Linux and CAP_NET_RAW.
func CanWatchRefused() bool {
	fd, err := rawTCP()
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// WatchRefused calls on for every SYN that comes to the TCP port of this machine over IPv4, from one goroutine, so that attempts on a
// closed port are seen. stop waits for that goroutine; on must not call it. Without CAP_NET_RAW the error wraps os.ErrPermission.
func WatchRefused(port int, on func(from net.Addr)) (stop func(), err error) {
	fd, err := rawTCP()
	if err != nil {
		return nil, fmt.Errorf("watch refused connections to port %d: %w", port, err)
	}
	if err := onlySYNsTo(fd, port); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("watch refused connections to port %d: %w", port, err)
	}
	socket := os.NewFile(uintptr(fd), "raw tcp") // the descriptor is non-blocking, so Close ends a Read
	done := make(chan struct{})
	go func() {
		defer close(done)
		packet := make([]byte, 256) // the headers; a raw socket cuts off the rest
		for {
			n, err := socket.Read(packet)
			if err != nil {
				return
			}
			if from, ok := synTo(packet[:n], port); ok {
				on(net.TCPAddrFromAddrPort(from))
			}
		}
	}()
	return sync.OnceFunc(func() {
		socket.Close()
		<-done
	}), nil
}

// rawTCP opens a socket that gets a copy of every IPv4 TCP packet for this machine.
func rawTCP() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return -1, os.NewSyscallError("socket", err) // EPERM is os.ErrPermission
	}
	return fd, nil
}

// onlySYNsTo has the kernel drop what synTo would pass over: the socket's buffer is small, and everything else that this machine sends
// itself would push the few SYNs out of it.
func onlySYNsTo(fd, port int) error {
	const header, flags, syn, synAck = 0, 13, 0x02, 0x12
	filter := []unix.SockFilter{
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: header}, // X = length of the IPv4 header
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 2},       // destination port
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(port), Jf: 4},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_IND, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: synAck},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 256},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return os.NewSyscallError("attach filter", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program))
}

// synTo gives the sender of an IPv4 packet that asks for a connection to port (RFC 9293, section 3.1): SYN without ACK.
func synTo(packet []byte, port int) (from netip.AddrPort, ok bool) {
	if len(packet) < 20 || packet[0]>>4 != 4 || packet[9] != unix.IPPROTO_TCP {
		return from, false
	}
	header := int(packet[0]&15) * 4
	if header < 20 || len(packet) < header+14 {
		return from, false
	}
	tcp := packet[header:]
	const syn, ack = 0x02, 0x10
	if int(binary.BigEndian.Uint16(tcp[2:])) != port || tcp[13]&(syn|ack) != syn {
		return from, false
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(packet[12:16])), binary.BigEndian.Uint16(tcp)), true
}
