// Package clock is the time of one testbed.
//
// A product can be built so that its timers run faster than in the field (declared as timers.speed): a keep-alive of 30 s then
// passes in 3 s. Stand-ins, checks and evidence all live in the product's time, called device time; only this package converts it
// to the time of the machine, called wall time. At speed 1 the two are the same.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells device time and waits in it. The zero value is not usable; New makes one. A Clock is safe for concurrent use.
type Clock struct {
	speed float64
	start time.Time // wall time of New, with its monotonic reading

	mu   sync.Mutex
	base time.Time // device time at start, moved by Set
}

// New returns a clock that shows now and runs speed times as fast as the machine's; a speed of 0 or less means 1.
func New(speed float64) *Clock {
	if speed <= 0 {
		speed = 1
	}
	now := time.Now()
	return &Clock{speed: speed, start: now, base: now.Round(0)}
}

// Now is the device time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	base := c.base
	c.mu.Unlock()
	return base.Add(c.Device(time.Since(c.start)))
}

// Since is the device time that has passed since t.
func (c *Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Set jumps the clock to t. Waits that are under way keep their length.
func (c *Clock) Set(t time.Time) {
	passed := c.Device(time.Since(c.start))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base = t.Add(-passed)
}

// Wall converts a span of device time to wall time.
func (c *Clock) Wall(d time.Duration) time.Duration { return time.Duration(float64(d) / c.speed) }

// Device converts a span of wall time to device time.
func (c *Clock) Device(d time.Duration) time.Duration { return time.Duration(float64(d) * c.speed) }

// Sleep waits for d of device time or until ctx is done, whose error it then returns.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(c.Wall(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AfterFunc calls f in its own goroutine after d of device time, unless the timer is stopped before. Reset on the returned timer
// takes wall time; use Wall.
func (c *Clock) AfterFunc(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(c.Wall(d), f)
}

// Timeout is context.WithTimeout in device time.
func (c *Clock) Timeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.Wall(d))
}

// Deadline is the wall time at which d of device time will have passed, for net.Conn deadlines; a d of 0 means no deadline.
func (c *Clock) Deadline(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(c.Wall(d))
}

// Passed is the device time that has passed since New. It never goes back, whatever Set does.
func (c *Clock) Passed() time.Duration { return c.Device(time.Since(c.start)) }
