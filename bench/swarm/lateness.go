//go:build linux

package main

import (
	"bytes"
	"slices"
	"strconv"
	"time"
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

// note adds how late a message is that begins with "device:number:microseconds since 1970:", the time when it was due.
func (l *lateness) note(payload []byte, now time.Time) {
	parts := bytes.SplitN(payload, []byte(":"), 4)
	if len(parts) < 4 {
		return
	}
	if due, err := strconv.ParseInt(string(parts[2]), 10, 64); err == nil {
		*l = append(*l, now.Sub(time.UnixMicro(due)))
	}
}
