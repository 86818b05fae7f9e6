package frame

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

const many = 100_000

// outside reports whether a number out of many is outside the 95 % interval of a share that was asked for.
func outside(number, of int, p float64) bool {
	return math.Abs(float64(number)-p*float64(of)) > 1.96*math.Sqrt(float64(of)*p*(1-p))
}

func TestShares(t *testing.T) {
	sound := numbered(7, 64)
	for name, c := range map[string]struct {
		impair func(*Link, float64)
		count  func(came [][]byte) int
	}{
		"lost":    {func(l *Link, p float64) { l.Loss(Up, p) }, func(came [][]byte) int { return 1 - len(came) }},
		"doubled": {func(l *Link, p float64) { l.Duplicate(Up, p) }, func(came [][]byte) int { return len(came) - 1 }},
		"corrupted": {func(l *Link, p float64) { l.Corrupt(Up, p) }, func(came [][]byte) int {
			if bytes.Equal(came[0], sound) {
				return 0
			}
			if !bytes.Equal(came[0][:ethernet], sound[:ethernet]) {
				t.Fatal("an Ethernet header was corrupted")
			}
			return 1
		}},
	} {
		for _, p := range []float64{0.01, 0.1} {
			off := 0
			const seeds = 4
			for seed := range uint64(seeds) {
				l := New(Options{Name: "x", Clock: clock.New(1), Seed: seed})
				var came [][]byte
				l.Far(func(f []byte) { came = append(came, f) })
				c.impair(l, p)
				number := 0
				for range many {
					came = came[:0]
					l.SendUp(slices.Clone(sound))
					number += c.count(came)
				}
				l.Close()
				if outside(number, many, p) {
					t.Logf("seed %d: %d of %d frames were %s", seed, number, many, name)
					off++
				}
			}
			if off > 1 { // one in twenty is, by the meaning of the interval
				t.Errorf("%s %g: the number is outside the 95 %% interval for %d seeds of %d", name, p, off, seeds)
			}
		}
	}
}

func TestReorderShare(t *testing.T) {
	e := open(t, 1)
	e.Reorder(Up, 0.1, 5*time.Millisecond)
	w := &e.Link.up
	w.mu.Lock()
	var came []int
	for n := range 10_000 { // one each millisecond
		now := time.Duration(n) * time.Millisecond
		w.plan(numbered(n, 64), now)
		came = append(came, numbersOf(w.due(nil, now))...)
	}
	came = append(came, numbersOf(w.due(nil, time.Hour))...)
	w.mu.Unlock()
	late, highest := 0, -1
	for i, n := range came {
		if n < highest {
			late++
			if i-n > 5 {
				t.Errorf("frame %d came in place %d", n, i)
			}
		}
		highest = max(highest, n)
	}
	if len(came) != 10_000 || outside(late, 10_000, 0.1) {
		t.Errorf("%d of %d frames were overtaken, want a tenth of 10,000", late, len(came))
	}
}

func TestBursts(t *testing.T) {
	for _, g := range []GilbertElliott{
		{Worsen: 0.01, Recover: 0.25, Bad: 1},
		{Worsen: 0.002, Recover: 0.05, Bad: 1},
		{Worsen: 0.05, Recover: 0.5, Good: 0.001, Bad: 0.8},
	} {
		b, rng := bursts{GilbertElliott: g}, random(7, 1, 0)
		lost, spells, bad := 0, 0, 0
		const n = 10 * many
		for range n {
			was := b.bad
			if b.happens(rng) {
				lost++
			}
			if b.bad {
				bad++
				if !was {
					spells++
				}
			}
		}
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 0.1*want {
				t.Errorf("%+v: %s is %g, want %g within 10 %%", g, what, got, want)
			}
		}
		near("the length of a bad time", float64(bad)/float64(spells), 1/g.Recover)
		near("the share of the bad time", float64(bad)/n, g.Worsen/(g.Worsen+g.Recover))
		near("the loss", float64(lost)/n, g.Share())
	}
}

// With the same seed the same frames are lost, whatever delays them.
func TestSameSeedSameLosses(t *testing.T) {
	run := func(seed uint64, delay bool) []int {
		e := open(t, seed)
		e.Bursts(Up, GilbertElliott{Worsen: 0.02, Recover: 0.3, Bad: 0.9})
		e.Loss(Up, 0.05)
		e.Duplicate(Up, 0.02)
		undo := func() {}
		if delay {
			undo = e.Latency(Up, Latency{Delay: time.Millisecond, Jitter: 100 * time.Microsecond})
		}
		for n := range 5000 {
			e.SendUp(numbered(n, 64))
		}
		undo()
		waitIdle(t, e.Link)
		return numbersOf(e.got(Up))
	}
	if !slices.Equal(run(3, false), run(3, true)) {
		t.Error("a delay changes what is lost")
	}
	if slices.Equal(run(3, false), run(4, false)) {
		t.Error("two seeds lose the same")
	}
}
