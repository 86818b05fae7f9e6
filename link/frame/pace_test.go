package frame

import (
	"math"
	"slices"
	"testing"
	"time"
)

// pretend calls f with the way up of a link, in times that f makes up.
func pretend(t *testing.T, impair func(*Link), f func(*way)) {
	t.Helper()
	e := open(t, 1)
	impair(e.Link)
	w := &e.Link.up
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
	w.line.clear()
	w.flight.clear()
}

func TestJitterKeepsOrder(t *testing.T) {
	pretend(t, func(l *Link) { l.Latency(Up, Latency{Delay: 20 * time.Millisecond, Jitter: 5 * time.Millisecond}) }, func(w *way) {
		var delays []float64
		last := -1
		for n := range 100_000 {
			now := time.Duration(n) * 500 * time.Microsecond
			w.plan(numbered(n, 64), now)
			for _, f := range w.due(nil, now) {
				if numberOf(f) != last+1 {
					t.Fatalf("frame %d came after %d", numberOf(f), last)
				}
				last = numberOf(f)
				delays = append(delays, float64(now)/1e6-float64(last)/2)
			}
		}
		slices.Sort(delays)
		if p50 := delays[len(delays)/2]; p50 < 20 || p50 > 35 { // each waits for the slowest before it
			t.Errorf("half of the frames took up to %.1f ms", p50)
		}
		if n := w.flight.len(); n > 200 {
			t.Errorf("%d frames are still in flight", n)
		}
	})
	for _, correlation := range []float64{0, 0.9, 1} {
		d, rng := delay{delay: time.Second, jitter: 10 * time.Millisecond, correlation: correlation}, random(1, 1, 1)
		var sum, squares, product, before float64
		const n = 200_000
		for range n {
			x := float64(d.next(rng)-time.Second) / 1e7
			sum += x
			squares += x * x
			product += x * before
			before = x
		}
		deviation := math.Sqrt(squares/n - sum/n*sum/n)
		if correlation < 1 && math.Abs(deviation-1) > 0.05 {
			t.Errorf("correlation %g: the standard deviation is %.3f of what was asked for", correlation, deviation)
		}
		if correlation < 1 && math.Abs(product/squares-correlation) > 0.02 {
			t.Errorf("the correlation is %.3f, want %g", product/squares, correlation)
		}
	}
}

// flood sends frames of 1000 bytes each gap for ten seconds, and says how many bytes came and how long the latest ones took.
func flood(w *way, gap time.Duration) (bytes int, longest time.Duration) {
	sent := map[int]time.Duration{}
	n := 0
	for now := time.Duration(0); now < 10*time.Second; now += gap {
		sent[n] = now
		w.plan(numbered(n, 1000), now)
		n++
		for _, f := range w.due(nil, now) {
			bytes += len(f)
			longest = max(longest, now-sent[numberOf(f)])
		}
	}
	return bytes, longest
}

func TestRateAndQueue(t *testing.T) {
	for name, c := range map[string]struct {
		rate    Rate
		longest time.Duration
	}{
		"200 ms of queue":    {Rate{BitsPerSecond: 1e6}, 208 * time.Millisecond},
		"16 frames of queue": {Rate{BitsPerSecond: 1e6, Queue: 16_000}, 136 * time.Millisecond},
		"bufferbloat":        {Rate{BitsPerSecond: 1e6, Queue: 500_000}, 4008 * time.Millisecond},
		"slow, two frames":   {Rate{BitsPerSecond: 8e3}, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			pretend(t, func(l *Link) { l.Rate(Up, c.rate) }, func(w *way) {
				bytes, longest := flood(w, 4*time.Millisecond)
				if want := c.rate.BitsPerSecond / 8 * 10; math.Abs(float64(bytes)-want) > max(0.02*want, 2000) {
					t.Errorf("%d bytes came in ten seconds, want %.0f", bytes, want)
				}
				if off := (c.longest - longest).Abs(); off > c.longest/50+10*time.Millisecond {
					t.Errorf("the longest wait was %s, want %s", longest, c.longest)
				}
				if sent := int64(2500); w.count.Lost+w.count.Delivered+int64(w.line.len()+w.flight.len()) != sent {
					t.Errorf("%d lost and %d delivered do not make %d", w.count.Lost, w.count.Delivered, sent)
				}
			})
		})
	}
}

// standing is the median wait in the queue of a flow that halves its window when a frame is lost, as TCP does.
func standing(w *way) time.Duration {
	const size, roundTrip = 1500, 40 * time.Millisecond
	type packet struct{ sent, back time.Duration }
	window, flying, next := 10.0, 0, 0
	sent := map[int]time.Duration{}
	backs := fifo[packet]{}
	var waits []time.Duration
	lost, halved := int64(0), time.Duration(0)
	for now := time.Duration(0); now < time.Minute; now += 200 * time.Microsecond {
		for _, f := range w.due(nil, now) {
			waits = append(waits, now-sent[numberOf(f)])
			backs.push(packet{sent[numberOf(f)], now + roundTrip})
		}
		for backs.len() > 0 && backs.front().back <= now {
			backs.pop()
			flying--
			window += 1 / window
		}
		if gone := w.count.Lost; gone > lost {
			flying -= int(gone - lost)
			lost = gone
			if now-halved > roundTrip {
				window, halved = max(2, window/2), now
			}
		}
		for flying < int(window) {
			sent[next] = now
			w.plan(numbered(next, size), now)
			next++
			flying++
		}
	}
	waits = waits[len(waits)/2:]
	slices.Sort(waits)
	return waits[len(waits)/2]
}

func TestCoDelKeepsTheQueueShort(t *testing.T) {
	for name, c := range map[string]struct {
		rate     Rate
		from, to time.Duration
	}{
		"droptail": {Rate{BitsPerSecond: 2e7, Queue: 500_000}, 120 * time.Millisecond, 210 * time.Millisecond},
		"CoDel":    {Rate{BitsPerSecond: 2e7, Queue: 500_000, CoDel: true}, 1 * time.Millisecond, 8 * time.Millisecond},
	} {
		pretend(t, func(l *Link) { l.Rate(Up, c.rate) }, func(w *way) {
			if got := standing(w); got < c.from || got > c.to {
				t.Errorf("%s: half of the frames waited up to %s, want %s to %s", name, got, c.from, c.to)
			}
		})
	}
}

// Against a flow that does not give way, drops begin after an interval and come closer together with the square root of their number
// (RFC 8289, section 5.4).
func TestCoDelLaw(t *testing.T) {
	var drops []time.Duration
	pretend(t, func(l *Link) { l.Rate(Up, Rate{BitsPerSecond: 8e6, Queue: 1 << 24, CoDel: true}) }, func(w *way) {
		for n := range 4000 { // 1000 bytes each 900 µs, where one takes a millisecond
			now := time.Duration(n) * 900 * time.Microsecond
			before := w.count.Lost
			w.plan(numbered(n, 1000), now)
			w.due(nil, now)
			for range w.count.Lost - before {
				drops = append(drops, now)
			}
		}
	})
	if len(drops) < 10 {
		t.Fatalf("%d drops", len(drops))
	}
	// The wait grows by 0.1 ms each frame: it is above 5 ms after 50 frames of 1 ms, and has been for an interval 100 ms later.
	if first := drops[0]; first < 145*time.Millisecond || first > 165*time.Millisecond {
		t.Errorf("the first drop came after %s, want about 150 ms", first)
	}
	for n := 1; n < 10; n++ {
		want := time.Duration(float64(100*time.Millisecond) / math.Sqrt(float64(n)))
		if gap := drops[n] - drops[n-1]; (gap - want).Abs() > 3*time.Millisecond {
			t.Errorf("drop %d came %s after the one before, want %s", n+1, gap, want)
		}
	}
	// A queue of one full frame is never dropped from, however slow the link is.
	pretend(t, func(l *Link) { l.Rate(Up, Rate{BitsPerSecond: 8000, CoDel: true}) }, func(w *way) {
		for n := range 100 { // each takes a second, as the gap
			w.plan(numbered(n, 1000), time.Duration(n)*time.Second)
			w.due(nil, time.Duration(n)*time.Second)
		}
		if w.count.Lost > 0 {
			t.Errorf("%d frames of a queue of one were dropped", w.count.Lost)
		}
	})
}
