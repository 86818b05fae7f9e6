package device

import (
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

// source tells two times. The time of day is set from outside and can jump; it stamps readings and dates certificates. The uptime
// only runs forward; every wait is measured in it.
type source struct {
	clk   *clock.Clock
	start time.Time
	built time.Time
}

func newSource(clk *clock.Clock, built time.Time) *source {
	return &source{clk: clk, start: clk.Deadline(1), built: built}
}

// uptime is the device time since power-on.
func (s *source) uptime() time.Duration { return s.clk.Device(s.clk.Deadline(1).Sub(s.start)) }

// now is the time of day as the device's clock shows it.
func (s *source) now() time.Time { return s.clk.Now() }

// atLeast is the time of day that certificates are judged by. After a power loss the clock may start in 1970; it is surely later
// than the day on which the firmware was built.
func (s *source) atLeast() time.Time {
	if now := s.now(); now.After(s.built) {
		return now
	}
	return s.built
}
