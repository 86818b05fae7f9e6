package frame

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends is a link with both its ends attached.
type ends struct {
	*Link
	log *evidence.Log

	mu       sync.Mutex
	up, down [][]byte
	arrived  chan struct{} // a token for each frame
}

func open(t testing.TB, seed uint64) *ends {
	t.Helper()
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	e := &ends{Link: New(Options{Name: "access", Clock: clk, Log: log, Seed: seed}), log: log, arrived: make(chan struct{}, 1<<20)}
	keep := func(to *[][]byte) func([]byte) {
		return func(f []byte) {
			e.mu.Lock()
			defer e.mu.Unlock()
			*to = append(*to, f)
			e.arrived <- struct{}{}
		}
	}
	e.Far(keep(&e.up))
	e.Near(keep(&e.down))
	t.Cleanup(e.Close)
	return e
}

// await waits for n frames in all.
func (e *ends) await(t testing.TB, n int) {
	t.Helper()
	giveUp := time.After(10 * time.Second)
	for i := range n {
		select {
		case <-e.arrived:
		case <-giveUp:
			t.Fatalf("%d of %d frames came", i, n)
		}
	}
}

func (e *ends) got(way Way) [][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if way == Up {
		return slices.Clone(e.up)
	}
	return slices.Clone(e.down)
}

// numbered is a frame of no protocol with a number in it.
func numbered(n, size int) []byte {
	f := make([]byte, max(size, 64))
	f[12], f[13] = 0x88, 0xb5 // for local experiments
	binary.BigEndian.PutUint32(f[20:], uint32(n))
	return f
}

func numberOf(f []byte) int { return int(binary.BigEndian.Uint32(f[20:])) }

func numbersOf(frames [][]byte) (n []int) {
	for _, f := range frames {
		n = append(n, numberOf(f))
	}
	return n
}

func TestHandsOver(t *testing.T) {
	e := open(t, 1)
	var seen []Way
	stop := e.Watch(func(_ []byte, w Way) { seen = append(seen, w) })
	e.SendUp(numbered(1, 64))
	e.SendDown(numbered(2, 64))
	e.SendDown(numbered(3, 64))
	stop()
	e.SendUp(numbered(4, 64))
	if up, down := numbersOf(e.got(Up)), numbersOf(e.got(Down)); !slices.Equal(up, []int{1, 4}) || !slices.Equal(down, []int{2, 3}) {
		t.Errorf("up came %v, down %v", up, down)
	}
	if !slices.Equal(seen, []Way{Up, Down, Down}) {
		t.Errorf("the watcher saw %v", seen)
	}
	up, down := e.Counts()
	if up != (Count{Sent: 2, Delivered: 2, Bytes: 128}) || down != (Count{Sent: 2, Delivered: 2, Bytes: 128}) {
		t.Errorf("counts are %+v, %+v", up, down)
	}
	e.Far(nil)
	e.SendUp(numbered(5, 64))
	if up, _ := e.Counts(); up.Lost != 1 {
		t.Errorf("%d lost without a far end, want 1", up.Lost)
	}
}

// A frame that only may be lost is still handed over by its sender.
func TestOneWayOnly(t *testing.T) {
	e := open(t, 1)
	e.Loss(Up, 1)
	e.SendUp(numbered(1, 64))
	e.SendDown(numbered(2, 64))
	if len(e.got(Up)) != 0 || len(e.got(Down)) != 1 {
		t.Errorf("%d came up and %d down, want 0 and 1", len(e.got(Up)), len(e.got(Down)))
	}
	e.Blackhole(Down)
	e.SendDown(numbered(3, 64))
	if len(e.got(Down)) != 1 {
		t.Error("a black hole let a frame pass")
	}
}

func TestFilters(t *testing.T) {
	e := open(t, 1)
	odd := e.Filter(Up, "odd numbers", func(f []byte) bool { return numberOf(f)%2 == 0 })
	three := e.Filter(Up, "multiples of three", func(f []byte) bool { return numberOf(f)%3 != 0 })
	send := func() {
		for n := 1; n <= 6; n++ {
			e.SendUp(numbered(n, 64))
		}
	}
	send()
	odd()
	send()
	three()
	send()
	if got := numbersOf(e.got(Up)); !slices.Equal(got, []int{2, 4, 1, 2, 4, 5, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("%v came", got)
	}
}

// every puts everything in force that a link knows.
func every(l *Link) []func() {
	return []func(){
		l.Loss(Both, 0.1), l.Bursts(Up, GilbertElliott{Worsen: 0.1, Recover: 0.5, Bad: 1}), l.Latency(Both, Latency{Delay: time.Hour, Jitter: time.Minute}),
		l.Latency(Down, Latency{Delay: time.Minute}), l.Rate(Both, Rate{BitsPerSecond: 1000, Queue: 1 << 20}), l.Rate(Up, Rate{BitsPerSecond: 500, CoDel: true}),
		l.Corrupt(Both, 0.1), l.Duplicate(Down, 0.1), l.Reorder(Both, 0.5, time.Hour), l.MTU(Both, 576, netip.MustParseAddr("192.0.2.1")),
		l.Filter(Up, "nothing", func([]byte) bool { return true }), l.Blackhole(Up), l.Outage(), l.Flap(time.Hour, time.Hour),
	}
}

func TestUndoInAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		e := open(t, seed)
		undos := every(e.Link)
		course := e.Course("a course")
		course.Set(Conditions{Loss: 1, Rate: Rate{BitsPerSecond: 8}}, Conditions{Latency: Latency{Delay: time.Hour}, Reorder: 1, ReorderBy: time.Hour})
		course.Outage(true)
		undos = append(undos, course.End)
		rng := rand.New(rand.NewPCG(seed, 0))
		rng.Shuffle(len(undos), func(i, j int) { undos[i], undos[j] = undos[j], undos[i] })
		for i, undo := range undos {
			e.SendUp(numbered(i, 1000))
			e.SendDown(numbered(i, 1000))
			undo()
			undo()
		}
		waitIdle(t, e.Link)
		before := len(e.got(Up))
		e.SendUp(numbered(99, 64))
		if got := e.got(Up); len(got) != before+1 || numberOf(got[before]) != 99 {
			t.Errorf("seed %d: the link is still impaired", seed)
		}
		impaired, healed := 0, 0
		for _, ev := range e.log.Since(0) {
			switch ev.Kind {
			case evidence.Impair:
				impaired++
			case evidence.Heal:
				healed++
			}
		}
		if impaired != len(undos) || healed != len(undos) {
			t.Errorf("seed %d: %d impair and %d heal events, want %d of each", seed, impaired, healed, len(undos))
		}
	}
}

// waitIdle waits until no courier of the link runs.
func waitIdle(t testing.TB, l *Link) {
	t.Helper()
	for range 1000 {
		busy := false
		l.each(Both, func(d *way) { busy = busy || d.running })
		if !busy {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("frames still wait after all was undone")
}

// What is on its way comes at once when what delays it ends, in order, before what is sent then.
func TestHealingIsImmediate(t *testing.T) {
	for name, impair := range map[string]func(*Link) func(){
		"latency":        func(l *Link) func() { return l.Latency(Up, Latency{Delay: time.Hour, Jitter: time.Minute}) },
		"latency, again": func(l *Link) func() { l.Latency(Up, Latency{}); return l.Latency(Up, Latency{Delay: time.Hour}) },
		"rate":           func(l *Link) func() { return l.Rate(Up, Rate{BitsPerSecond: 1, Queue: 1 << 20}) },
		"slower rate": func(l *Link) func() {
			l.Rate(Up, Rate{BitsPerSecond: 1e9})
			return l.Rate(Up, Rate{BitsPerSecond: 1, Queue: 1 << 20})
		},
		"reordering": func(l *Link) func() { return l.Reorder(Up, 1, time.Hour) },
		"course": func(l *Link) func() {
			c := l.Course("x")
			c.Set(Conditions{Latency: Latency{Delay: time.Hour}, Rate: Rate{BitsPerSecond: 1, Queue: 1 << 20}}, Conditions{})
			return func() { c.Set(Conditions{}, Conditions{}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, 1)
			undo := impair(e.Link)
			for n := range 10 {
				e.SendUp(numbered(n, 64))
			}
			if n := len(e.got(Up)); n > 1 {
				t.Fatalf("%d frames came at once", n)
			}
			undo()
			e.SendUp(numbered(10, 64))
			e.await(t, 11)
			if got := numbersOf(e.got(Up)); !slices.IsSorted(got) {
				t.Errorf("they came as %v", got)
			}
		})
	}
}
