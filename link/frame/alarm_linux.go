package frame

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm wakes a goroutine at a wall time. A Go timer alone is up to a millisecond late on an idle machine, because Go waits for its
// timers in whole milliseconds. A timer of the kernel's wakes Go at the right time, through the file that it is, without a thread that
// waits for it; the Go timer beside it is in time when the machine is busy and Go does not look at files so often.
//
// Set, ring and close are called with the way's mutex held, wait without it.
type alarm struct {
	file *os.File // nil: not opened yet, or impossible
	fd   int
	tick ticker
}

// set winds the alarm up for t.
func (a *alarm) set(t time.Time) {
	if a.file == nil && !a.open() {
		a.tick.set(t)
		return
	}
	a.file.SetReadDeadline(t)
	in := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, int64(time.Until(t))))}
	_ = unix.TimerfdSettime(a.fd, 0, &in, nil) // the Go timer is there, too
}

func (a *alarm) open() bool {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return false
	}
	file := os.NewFile(uintptr(fd), "alarm")
	if file.SetReadDeadline(time.Time{}) != nil { // Go does not wait for it
		file.Close()
		return false
	}
	a.file, a.fd = file, fd
	return true
}

// wait returns at the time that was set, or after ring; now and then earlier.
func (a *alarm) wait() {
	if a.file == nil {
		a.tick.wait()
		return
	}
	var times [8]byte
	_, _ = a.file.Read(times[:]) // its error is that the Go timer was first, or ring
}

// ring ends the wait.
func (a *alarm) ring() {
	if a.file == nil {
		a.tick.ring()
		return
	}
	a.file.SetReadDeadline(time.Unix(1, 0))
}

// close gives the kernel's timer back; nobody waits.
func (a *alarm) close() {
	if a.file != nil {
		a.file.Close()
		a.file = nil
	}
}
