package share

import (
	"context"
	"fmt"
	"time"
)

// clock is that of a process: as the machine's stood when the process began, and then without jumps.
type clock struct {
	base  time.Time
	ahead time.Duration // in tests: of all machines that are right
}

func newClock() clock { return clock{base: time.Now()} }

// now is in nanoseconds since 1970.
func (c clock) now() int64 { return c.base.Add(time.Since(c.base) + c.ahead).UnixNano() }

// at is the moment at which the clock shows a time; it is not moved when the machine's clock is set.
func (c clock) at(shown time.Time) time.Time {
	return c.base.Add(shown.Sub(c.base.Round(0)) - c.ahead)
}

// offset is how far another clock is ahead of this one, and by how much that may be wrong.
type offset struct{ ahead, within time.Duration }

// compare asks another process for its time again and again and takes the answer that came fastest: it was given within that time.
func (c clock) compare(ctx context.Context, times int, ask func(ctx context.Context) (theirs int64, err error)) (best offset, err error) {
	best.within = time.Hour
	for range times {
		before := c.now()
		theirs, err := ask(ctx)
		after := c.now()
		if err != nil {
			return best, fmt.Errorf("compare clocks: %w", err)
		}
		if half := time.Duration(after-before) / 2; half < best.within {
			best = offset{time.Duration(theirs-before) - half, half}
		}
	}
	return best, nil
}

// The bounds of what may be said of latencies between two machines.
const exact = 10 * time.Millisecond

// oneWay says why latencies between this machine and an agent's cannot be believed, from what their clocks were at first and now.
func oneWay(name string, first, now offset) string {
	if first.within > exact {
		return fmt.Sprintf("the clock of %s is known to ±%v only (±%v are allowed)", name, first.within.Round(100*time.Microsecond), exact)
	}
	moved := now.ahead - first.ahead
	if known := max(moved, -moved) - now.within; known > exact {
		return fmt.Sprintf("the clock of %s moved by %v during the run (%v are allowed)", name, moved.Round(100*time.Microsecond), exact)
	}
	return ""
}
