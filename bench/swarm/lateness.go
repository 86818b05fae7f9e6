//go:build linux

package main

import (
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
)

// lateness is spans of time of which the quantiles are wanted.
type lateness []time.Duration

// quantiles are p50, p95 and p99 in seconds.
func (l lateness) quantiles() (q [3]float64) {
	if len(l) == 0 {
		return q
	}
	sorted := slices.Sorted(slices.Values(l))
	for i, p := range []float64{0.50, 0.95, 0.99} {
		q[i] = sorted[min(len(sorted)-1, int(p*float64(len(sorted))))].Seconds()
	}
	return q
}

// note adds how late a message is by the stamp in its payload, if there is one.
func (l *lateness) note(message []byte, now time.Time) {
	if stamp, ok := payload.FindStamp(message); ok {
		*l = append(*l, now.Sub(time.UnixMicro(stamp.Due)))
	}
}
