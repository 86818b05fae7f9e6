package device

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func waits(seed uint64, n int, why cause, lasted time.Duration, defects ...string) []time.Duration {
	cfg := &Config{Defects: map[string]bool{}}
	for _, d := range defects {
		cfg.Defects[d] = true
	}
	b := backoff{cfg: cfg, rng: rand.New(rand.NewPCG(seed, 1))}
	var out []time.Duration
	for range n {
		out = append(out, b.next(why, lasted))
	}
	return out
}

func TestBackoffGrowsToItsCapAndDiffers(t *testing.T) {
	for _, lasted := range []time.Duration{0, time.Millisecond, 20 * time.Second} {
		var ratios []float64
		for seed := range uint64(50) {
			w := waits(seed, 10, dropped, lasted)
			for i := 1; i < 6; i++ {
				ratios = append(ratios, w[i].Seconds()/w[i-1].Seconds())
			}
			for _, d := range w {
				if d > backoffCap {
					t.Fatalf("waits %s", d)
				}
			}
			if w[9] < backoffCap/2 {
				t.Errorf("the tenth wait is %s", w[9])
			}
		}
		slices.Sort(ratios)
		if median := ratios[len(ratios)/2]; median < 1.5 {
			t.Errorf("after sessions of %s the median ratio is %.2f", lasted, median)
		}
	}
	a, b := waits(1, 5, dropped, 0), waits(2, 5, dropped, 0)
	if slices.Equal(a, b) {
		t.Error("two devices wait alike")
	}
}

func TestBackoffByCause(t *testing.T) {
	for seed := range uint64(20) {
		for _, d := range waits(seed, 8, unauthorised, 0) {
			if d < 30*time.Second || d > backoffCap {
				t.Errorf("unauthorised: %s", d)
			}
		}
		if d := waits(seed, 1, takenOver, time.Second)[0]; d < time.Minute {
			t.Errorf("taken over: %s", d)
		}
		if d := waits(seed, 1, dropped, time.Hour)[0]; d > 5*time.Second {
			t.Errorf("after an hour online: %s", d)
		}
		if d := waits(seed, 1, busy, 0)[0]; d < 2*time.Second {
			t.Errorf("busy: %s", d)
		}
	}
}

func TestBackoffDefects(t *testing.T) {
	if w := waits(1, 5, dropped, 0, "backoff-constant"); w[0] != w[4] {
		t.Errorf("constant: %v", w)
	}
	if w := waits(1, 8, dropped, time.Millisecond, "backoff-reset-by-connack"); slices.Max(w) > time.Second {
		t.Errorf("reset by CONNACK: %v", w)
	}
	if w := waits(1, 5, dropped, 0, "backoff-no-jitter"); w[4] != 16*time.Second {
		t.Errorf("no jitter: %v", w)
	}
	if w := waits(1, 8, dropped, 0, "backoff-cap-1h"); w[7] < 15*time.Minute {
		t.Errorf("cap of an hour: %v", w)
	}
}
