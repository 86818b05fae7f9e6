package frame

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleeper waits for a wall time more exactly than a Go timer, which is 0.2 to 1 ms late: Go waits for its timers in whole milliseconds.
// The last stretch is slept in the kernel, by one thread for the whole process at most a few at a time.
type sleeper struct {
	wake chan struct{} // of capacity 1
}

// coarse is how much before its end a sleep goes over from a Go timer to the kernel's.
const coarse = 1500 * time.Microsecond

// exact keeps the number of threads low that sleep in the kernel.
var exact = make(chan struct{}, 4)

// until returns at t, or when up is called.
func (s *sleeper) until(t time.Time) {
	wait := time.Until(t)
	if wait > coarse {
		timer := time.NewTimer(wait - coarse)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.wake:
			return
		}
	}
	select {
	case exact <- struct{}{}:
		defer func() { <-exact }()
	default:
		timer := time.NewTimer(time.Until(t))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.wake:
		}
		return
	}
	if wait = time.Until(t); wait > 0 {
		rest := unix.NsecToTimespec(int64(wait))
		_ = unix.Nanosleep(&rest, nil) // a signal ends it early, and the caller looks at the time again
	}
}

// up ends the present sleep, or the next one at once.
func (s *sleeper) up() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
