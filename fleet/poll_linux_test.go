package fleet

import (
	"testing"
	"time"

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

// TestWait waits for longer than one call of the system takes: to the end, and until the bell is rung.
func TestWait(t *testing.T) {
	p, err := newPoll()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	none := func(r ready) { t.Errorf("%+v happened", r) }
	start := time.Now()
	if err := p.wait(3*brief+brief/2, none); err != nil || time.Since(start) < 3*brief+brief/2 {
		t.Errorf("it waited %s, %v", time.Since(start), err)
	}
	start = time.Now()
	time.AfterFunc(2*brief, p.wake)
	if err := p.wait(time.Hour, none); err != nil || time.Since(start) < 2*brief {
		t.Errorf("it waited %s for the bell, %v", time.Since(start), err)
	}
}
