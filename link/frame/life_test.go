package frame

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestOutage(t *testing.T) {
	e := open(t, 1)
	var carrier []bool
	stop := e.OnCarrier(func(up bool) { carrier = append(carrier, up) })
	latency := e.Latency(Both, Latency{Delay: time.Hour})
	rate := e.Rate(Down, Rate{BitsPerSecond: 1, Queue: 1 << 20})
	for n := range 5 {
		e.SendUp(numbered(n, 64))
		e.SendDown(numbered(n, 64))
	}
	first, second := e.Outage(), e.Outage()
	e.SendUp(numbered(6, 64))
	first()
	e.SendUp(numbered(7, 64))
	second()
	rate()
	latency()
	e.SendUp(numbered(8, 64))
	e.SendDown(numbered(8, 64))
	e.await(t, 2)
	if up, down := numbersOf(e.got(Up)), numbersOf(e.got(Down)); !slices.Equal(up, []int{8}) || !slices.Equal(down, []int{8}) {
		t.Errorf("up came %v, down %v, want only what was sent after the outage", up, down)
	}
	up, down := e.Counts()
	if up.Lost != 7 || down.Lost != 5 {
		t.Errorf("%d and %d were lost, want 7 and 5", up.Lost, down.Lost)
	}
	stop()
	e.Outage()()
	if !slices.Equal(carrier, []bool{true, false, true}) {
		t.Errorf("the carrier was %v", carrier)
	}
}

func TestFlap(t *testing.T) {
	e := open(t, 1)
	changes := make(chan bool, 100)
	defer e.OnCarrier(func(up bool) { changes <- up })()
	undo := e.Flap(time.Millisecond, 0)
	for i := range 5 {
		if up := <-changes; up != (i%2 == 0) {
			t.Fatalf("change %d is to %t", i, up)
		}
	}
	undo()
	undo()
	e.SendUp(numbered(1, 64))
	if len(e.got(Up)) != 1 {
		t.Error("the link is down after undo")
	}
	left := e.Flap(time.Hour, time.Hour)
	e.Close()
	left()
	e.Flap(time.Hour, time.Hour)()
}

// Close ends what is under way, whatever that is, and later calls do no harm.
func TestClose(t *testing.T) {
	e := open(t, 1)
	undos := every(e.Link)[:11] // without black hole, outage and flap
	for n := range 100 {
		e.SendUp(numbered(n, 1000))
		e.SendDown(numbered(n, 1000))
	}
	e.Close()
	e.SendUp(numbered(1, 64))
	up, down := e.Counts()
	if up.Sent != 100 || down.Sent != 100 || up.Lost+up.Delivered < 100 {
		t.Errorf("counts are %+v and %+v", up, down)
	}
	for _, undo := range undos {
		undo()
	}
	e.Latency(Both, Latency{Delay: time.Hour})
	e.Close()
	waitIdle(t, e.Link)
}

// Frames keep their order while impairments come and go.
func TestOrderThroughChanges(t *testing.T) {
	e := open(t, 1)
	var sending sync.WaitGroup
	const n = 20_000
	for _, send := range []func([]byte){e.SendUp, e.SendDown} {
		sending.Go(func() {
			for i := range n {
				send(numbered(i, 64))
			}
		})
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		c := e.Course("changes")
		defer c.End()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			undo := e.Latency(Both, Latency{Delay: time.Duration(i%5) * time.Millisecond, Jitter: time.Duration(i%3) * 100 * time.Microsecond})
			pace := e.Rate(Both, Rate{BitsPerSecond: 1e9, Queue: 1 << 30})
			c.Set(Conditions{Latency: Latency{Delay: time.Millisecond}}, Conditions{Rate: Rate{BitsPerSecond: 1e8, Queue: 1 << 30}})
			time.Sleep(100 * time.Microsecond)
			undo()
			c.Set(Conditions{}, Conditions{})
			pace()
		}
	}()
	sending.Wait()
	close(stop)
	<-stopped
	waitIdle(t, e.Link)
	for _, way := range []Way{Up, Down} {
		if got := numbersOf(e.got(way)); !slices.IsSorted(got) {
			t.Errorf("%s: frames came out of order", way)
		}
	}
}

// What is used by many at once is used here by many at once, for the race detector.
func TestConcurrently(t *testing.T) {
	e := open(t, 1)
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for i := range 500 {
				e.SendUp(numbered(i, 700))
				e.SendDown(numbered(i, 700))
			}
		})
		busy.Go(func() {
			for range 20 {
				undos := append(every(e.Link), e.Watch(func([]byte, Way) {}), e.OnCarrier(func(bool) {}), e.MTU(Both, 600, netip.MustParseAddr("2001:db8::1")))
				e.Counts()
				for _, undo := range undos {
					undo()
				}
			}
		})
	}
	busy.Wait()
	waitIdle(t, e.Link)
}
