package internet

import (
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
	"gvisor.dev/gvisor/pkg/tcpip"
)

// stackClock runs the timers of an IP stack in device time: a product whose timers are faster has TCP timers that are as much faster.
type stackClock struct{ clk *clock.Clock }

func (c stackClock) Now() time.Time { return c.clk.Now() }

func (c stackClock) NowMonotonic() tcpip.MonotonicTime {
	return tcpip.MonotonicTime{}.Add(c.clk.Passed())
}

func (c stackClock) AfterFunc(d time.Duration, f func()) tcpip.Timer {
	return stackTimer{c.clk.AfterFunc(d, f), c.clk}
}

type stackTimer struct {
	timer *time.Timer
	clk   *clock.Clock
}

func (t stackTimer) Stop() bool            { return t.timer.Stop() }
func (t stackTimer) Reset(d time.Duration) { t.timer.Reset(t.clk.Wall(d)) }
