//go:build linux

package main

import (
	"math/rand/v2"
	"testing"
)

// A walk about a level has no slope, and a rise is seen above it. One in twenty should miss; strong likeness makes it one in seven, and
// without regard to it it would be one in two.
func TestLine(t *testing.T) {
	const points, lines = 180, 100
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct{ alike, slope float64 }{{0, 0}, {0.5, 0}, {0.8, 0}, {0, 4}, {0.8, 8}} {
		missed, zero := 0, 0
		for range lines {
			x, y := make([]float64, points), make([]float64, points)
			d := 0.0
			for i := range x {
				d = tt.alike*d + rng.NormFloat64()
				x[i], y[i] = float64(i)/float64(points), d+tt.slope*float64(i)/float64(points)
			}
			slope, margin := line(x, y)
			if slope-margin > tt.slope || slope+margin < tt.slope {
				missed++
			}
			if slope <= margin {
				zero++
			}
		}
		if missed > 16 || tt.slope > 0 && zero > 5 {
			t.Errorf("correlation %.1f, slope %.0f: %d of %d lines miss it, %d take it for none", tt.alike, tt.slope, missed, lines, zero)
		}
	}
}
