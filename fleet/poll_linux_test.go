package fleet

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestWakeAfterClose rings a bell that is gone: its number is that of another file by then.
func TestWakeAfterClose(t *testing.T) {
	p, err := newPoll()
	if err != nil {
		t.Fatal(err)
	}
	p.close()
	for range 2 { // the numbers of both of its files
		other, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(other)
		p.wake()
		var counter [8]byte
		if n, err := unix.Read(other, counter[:]); err != unix.EAGAIN {
			t.Errorf("%d bytes came, %v", n, err)
		}
	}
}
