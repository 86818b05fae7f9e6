package campaign

import (
	"runtime"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// spread lets the Go runtime run more threads at once than there are processors, for so many jobs. A job that waits for the disk, or computes
// for the 10 ms that the scheduler gives it, keeps its place among GOMAXPROCS; with few places the others are late, though the machine has time:
// on two processors the matrix took 62 s with two places, 40 s with four and 37 s with eight. It is never taken back, as another run may be under way.
func spread(jobs int) {
	places := min(jobs, 4*runtime.NumCPU())
	runtime.GOMAXPROCS(max(places, runtime.GOMAXPROCS(0)))
}

// lagMeter notices when this machine is too busy to keep time: it sleeps for a short while again and again and keeps how much too
// long each sleep took.
type lagMeter struct {
	end  chan struct{}
	done chan struct{}

	mu   sync.Mutex
	late []lateness
}

type lateness struct {
	at time.Time
	by time.Duration
}

const lagTick = 10 * time.Millisecond

func startLagMeter() *lagMeter {
	m := &lagMeter{end: make(chan struct{}), done: make(chan struct{})}
	go m.run()
	return m
}

func (m *lagMeter) run() {
	defer close(m.done)
	tick := time.NewTimer(lagTick)
	defer tick.Stop()
	for {
		before := time.Now()
		select {
		case <-tick.C:
		case <-m.end:
			return
		}
		if by := time.Since(before) - lagTick; by > lagTick {
			m.mu.Lock()
			m.late = append(m.late, lateness{at: time.Now(), by: by})
			m.mu.Unlock()
		}
		tick.Reset(lagTick)
	}
}

// since is the worst lateness after t.
func (m *lagMeter) since(t time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var worst time.Duration
	for i := len(m.late) - 1; i >= 0 && m.late[i].at.After(t); i-- {
		worst = max(worst, m.late[i].by)
	}
	return worst
}

func (m *lagMeter) stop() {
	close(m.end)
	<-m.done
}

// tolerable is the lateness that no judgement minds: a quarter of a second of device time.
func tolerable(p *product.Product) time.Duration {
	speed := p.Declared.Speed
	if speed <= 0 {
		speed = 1
	}
	return time.Duration(float64(250*time.Millisecond) / speed)
}
