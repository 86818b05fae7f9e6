//go:build !linux

package frame

import "time"

// sleeper waits for a wall time as exactly as a Go timer does.
type sleeper struct {
	wake chan struct{} // of capacity 1
}

// until returns at t, or when up is called.
func (s *sleeper) until(t time.Time) {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.wake:
	}
}

// up ends the present sleep, or the next one at once.
func (s *sleeper) up() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
