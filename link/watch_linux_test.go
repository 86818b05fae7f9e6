package link

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSegments asks the part's kernel how many segments with data came.
func TestSegments(t *testing.T) {
	for _, tt := range []struct{ n, size int }{{1, 1500}, {10, 1500}, {536, 40000}} {
		b := newBench(t)
		part, standIn := b.pair()
		undo := b.Segment(tt.n)
		go standIn.Write(make([]byte, tt.size))
		if _, err := io.ReadFull(part, make([]byte, tt.size)); err != nil {
			t.Fatal(err)
		}
		undo()
		rc, err := part.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var info *unix.TCPInfo
		rc.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
		if err != nil {
			t.Fatal(err)
		}
		if want := (tt.size + tt.n - 1) / tt.n; int(info.Data_segs_in) < want {
			t.Errorf("%d bytes in segments of %d: %d segments, want at least %d", tt.size, tt.n, info.Data_segs_in, want)
		}
	}
}

func TestWatchRefusedNeedsPermission(t *testing.T) {
	if CanWatchRefused() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test
		h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var own [2]unix.CapUserData
		if err := unix.Capget(&h, &own[0]); err != nil {
			t.Fatal(err)
		}
		own[0].Effective &^= 1 << unix.CAP_NET_RAW
		if err := unix.Capset(&h, &own[0]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := WatchRefused(1, func(net.Addr) {}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v, want a permission error", err)
	}
}

// packet is an IPv4 and TCP header from 127.0.0.1:0x1234 to port 1883.
func packet(flags byte) []byte {
	p := make([]byte, 40)
	p[0], p[9] = 0x45, unix.IPPROTO_TCP
	copy(p[12:], []byte{127, 0, 0, 1})
	copy(p[20:], []byte{0x12, 0x34, 0x07, 0x5b})
	p[33] = flags
	return p
}

func TestSynTo(t *testing.T) {
	from := netip.MustParseAddrPort("127.0.0.1:4660")
	long := packet(2)
	long[0] = 0x4f // says 60 bytes of header
	tests := []struct {
		name   string
		packet []byte
		port   int
		want   bool
	}{
		{"syn", packet(0x02), 1883, true},
		{"syn with ecn", packet(0xc2), 1883, true},
		{"other port", packet(0x02), 1884, false},
		{"syn ack", packet(0x12), 1883, false},
		{"ack", packet(0x10), 1883, false},
		{"cut off", packet(0x02)[:33], 1883, false},
		{"header longer than the packet", long, 1883, false},
		{"empty", nil, 1883, false},
	}
	for _, tt := range tests {
		got, ok := synTo(tt.packet, tt.port)
		if ok != tt.want || ok && got != from {
			t.Errorf("%s: got %v, %t", tt.name, got, ok)
		}
	}
}

func FuzzSynTo(f *testing.F) {
	f.Add(packet(2))
	f.Add(packet(0x12)[:30])
	f.Fuzz(func(t *testing.T, b []byte) { synTo(b, 1883) })
}
