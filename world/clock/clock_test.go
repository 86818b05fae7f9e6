package clock

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Device time runs so many times as fast as wall time, and can be set.
func TestClock(t *testing.T) {
	c := New(100)
	start := c.Now()
	wall := time.Now()
	if err := c.Sleep(t.Context(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(wall); took < 20*time.Millisecond || took > time.Second {
		t.Errorf("2 s of device time took %s of wall time, want 20 ms", took)
	}
	if passed := c.Since(start); passed < 2*time.Second {
		t.Errorf("%s of device time have passed, want at least 2 s", passed)
	}
	if got := c.Wall(time.Minute); got != 600*time.Millisecond {
		t.Errorf("a minute is %s of wall time", got)
	}
	if got := c.Device(time.Second); got != 100*time.Second {
		t.Errorf("a wall second is %s", got)
	}
	then := time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC)
	c.Set(then)
	if off := c.Now().Sub(then); off < 0 || off > time.Minute {
		t.Errorf("the clock shows %s after it was set to %s", c.Now(), then)
	}
}

func TestWaitsEnd(t *testing.T) {
	c := New(0) // wall time
	ctx, cancel := c.Timeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sleep: %v", err)
	}
	called := make(chan bool)
	c.AfterFunc(time.Millisecond, func() { close(called) })
	<-called
	if !c.Deadline(0).IsZero() || time.Until(c.Deadline(time.Hour)) < 59*time.Minute {
		t.Error("a deadline is not in its time")
	}
}
