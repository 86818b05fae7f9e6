package join

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What an interface may be told by its driver (linux/ethtool.h).
const (
	getFlags, setFlags     = 0x25, 0x26
	getMerging, setMerging = 0x2b, 0x2c // generic receive offload
	hardwareMerging        = 1 << 15    // the flag of large receive offload
)

// ethtoolValue is struct ethtool_value, and ethtoolRequest the struct ifreq that points to it.
type (
	ethtoolValue   struct{ command, value uint32 }
	ethtoolRequest struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [8]byte
	}
)

// asTheyCame has the interface hand frames over as they came over the wire, instead of merging several of a connection into one.
func asTheyCame(name string) (undo func(), err error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	merging, err := ethtool(fd, name, getMerging, 0)
	if err == nil {
		_, err = ethtool(fd, name, setMerging, 0)
	}
	flags, flagsErr := ethtool(fd, name, getFlags, 0)
	if flagsErr == nil && flags&hardwareMerging != 0 {
		_, flagsErr = ethtool(fd, name, setFlags, flags&^hardwareMerging)
	}
	for _, e := range []error{err, flagsErr} {
		if e != nil && !errors.Is(e, unix.EOPNOTSUPP) {
			return nil, fmt.Errorf("keep it from merging frames: %w", e)
		}
	}
	return func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return
		}
		defer unix.Close(fd)
		_, _ = ethtool(fd, name, setMerging, merging)
		if flags&hardwareMerging != 0 {
			_, _ = ethtool(fd, name, setFlags, flags)
		}
	}, nil
}

// ethtool carries one command out on an interface.
func ethtool(fd int, name string, command, value uint32) (uint32, error) {
	v := &ethtoolValue{command, value}
	r := &ethtoolRequest{data: unsafe.Pointer(v)}
	copy(r.name[:unix.IFNAMSIZ-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(r)))
	runtime.KeepAlive(v)
	if errno != 0 {
		return 0, errno
	}
	return v.value, nil
}

// offloads is the size of what comes before each frame of a raw socket: struct virtio_net_hdr (linux/virtio_net.h).
const offloads = 10

// complete does what the sender of a frame left to its network card. Frames that came over a wire are complete; those of a virtual
// interface may lack the checksum over their end, whose place has that of the pseudo header.
func complete(offload, f []byte) {
	const needsChecksum = 1
	if offload[0]&needsChecksum == 0 {
		return
	}
	start := int(binary.NativeEndian.Uint16(offload[6:]))
	at := start + int(binary.NativeEndian.Uint16(offload[8:]))
	if start > len(f) || at+2 > len(f) {
		return
	}
	sum := uint32(0)
	for rest := f[start:]; len(rest) > 0; rest = rest[min(2, len(rest)):] {
		sum += uint32(rest[0]) << 8
		if len(rest) > 1 {
			sum += uint32(rest[1])
		}
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	whole := ^uint16(sum)
	if whole == 0 {
		whole = 0xffff // 0 means none in UDP (RFC 768), and the two are equal in TCP
	}
	binary.BigEndian.PutUint16(f[at:], whole)
}
