package device

import (
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

// source tells two times. The time of day is set from outside and can jump; it stamps readings and dates certificates. The uptime
// only runs forward; every wait is measured in it. It is safe for concurrent use.
type source struct {
	clk   *clock.Clock
	start time.Time
	built time.Time

	mu   sync.Mutex
	base time.Time // time of day at uptime at; zero: it is that of clk
	at   time.Duration
	set  bool // by a time server, since power-on
}

func newSource(clk *clock.Clock, built time.Time) *source {
	return &source{clk: clk, start: clk.Deadline(1), built: built}
}

// uptime is the device time since power-on.
func (s *source) uptime() time.Duration { return s.clk.Device(s.clk.Deadline(1).Sub(s.start)) }

// now is the time of day as the device's clock shows it.
func (s *source) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base.IsZero() {
		return s.clk.Now()
	}
	return s.base.Add(s.uptime() - s.at)
}

// lost has the clock begin anew, as after a power loss: with the last time that was known, or else the build date.
func (s *source) lost(known time.Time) {
	if known.Before(s.built) {
		known = s.built
	}
	s.begin(known)
}

// begin has the clock run from t, which nobody vouches for.
func (s *source) begin(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base, s.at, s.set = t, s.uptime(), false
}

// adjust sets the clock by what a time server told: the time of day was t at that uptime.
func (s *source) adjust(t time.Time, at time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base, s.at, s.set = t, at, true
}

// known reports whether the time of day was set since power-on, or needs no setting.
func (s *source) known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set || s.base.IsZero()
}

// atLeast is the time of day that certificates are judged by. After a power loss the clock may start in 1970; it is surely later
// than the day on which the firmware was built.
func (s *source) atLeast() time.Time {
	if now := s.now(); now.After(s.built) {
		return now
	}
	return s.built
}
