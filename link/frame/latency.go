package frame

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Latency is how long frames take.
type Latency struct {
	Delay       time.Duration // each way that it is put on
	Jitter      time.Duration // standard deviation; frames stay in order all the same
	Correlation float64       // 0..1: how much the jitter of a frame is that of the one before
}

// Latency makes frames take their time.
func (l *Link) Latency(which Way, v Latency) (undo func()) {
	text := fmt.Sprintf("latency %s", v.Delay)
	if v.Jitter > 0 {
		text += fmt.Sprintf(" ± %s", v.Jitter)
	}
	return l.impair(which, text, func(d *way) func() {
		return d.latency.push(&delay{delay: l.wall(v.Delay), jitter: l.wall(v.Jitter), correlation: min(max(v.Correlation, 0), 1)})
	})
}

// delay is latency in wall time, with the deviation of the frame before.
type delay struct {
	delay, jitter time.Duration
	correlation   float64
	deviation     float64 // of the last frame, in standard deviations
}

func (l *delay) next(rng *rand.Rand) time.Duration {
	if l.jitter == 0 {
		return l.delay
	}
	// First-order autoregression keeps the variance at 1 whatever the correlation is.
	l.deviation = l.correlation*l.deviation + sqrt(1-l.correlation*l.correlation)*rng.NormFloat64()
	return max(0, l.delay+time.Duration(l.deviation*float64(l.jitter)))
}
