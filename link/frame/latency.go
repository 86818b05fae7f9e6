package frame

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Latency is how long frames take.
type Latency struct {
	Delay       time.Duration // each way that it is put on
	Jitter      time.Duration // standard deviation; frames stay in order all the same
	Correlation float64       // 0..1: how much the jitter of a frame is that of the one before
}

func (v Latency) String() string {
	if v.Jitter > 0 {
		return fmt.Sprintf("latency %s ± %s", v.Delay, v.Jitter)
	}
	return fmt.Sprintf("latency %s", v.Delay)
}

// Latency makes frames take their time.
func (l *Link) Latency(which Way, v Latency) (undo func()) {
	return l.impair(which, v.String(), func(d *way) func() {
		take := func() {}
		d.slow(func() { take = d.latency.push(l.delay(v)) })
		return func() { d.slow(take) }
	})
}

// delay is latency in wall time, with the deviation of the frame before.
type delay struct {
	delay, jitter time.Duration
	correlation   float64
	deviation     float64 // of the last frame, in standard deviations
}

func (l *Link) delay(v Latency) delay {
	return delay{delay: l.wall(v.Delay), jitter: l.wall(v.Jitter), correlation: min(max(v.Correlation, 0), 1)}
}

func (l *delay) next(rng *rand.Rand) time.Duration {
	if l.jitter <= 0 {
		return max(0, l.delay)
	}
	// First-order autoregression keeps the variance at 1 whatever the correlation is.
	l.deviation = l.correlation*l.deviation + math.Sqrt(1-l.correlation*l.correlation)*rng.NormFloat64()
	return max(0, l.delay+time.Duration(l.deviation*float64(l.jitter)))
}

// slow changes the latency. When it gets less, what is in flight comes earlier by as much: new frames need not wait for it. d.mu is held.
func (d *way) slow(change func()) {
	var was time.Duration
	if l := d.latency.top(); l != nil {
		was = l.delay
	}
	d.advance(d.link.now())
	change()
	if l := d.latency.top(); l == nil {
		d.hasten(math.MaxInt64 / 4)
	} else if l.delay < was {
		d.hasten(was - l.delay)
	}
	d.again()
}
