package campaign

import (
	"context"
	"sync"
	"time"
)

// gate lets as many jobs run at once as this machine can keep time for: while it lags, fewer and fewer; while it does not, one more
// with every job that ends, and while others wait every 50 ms. It lets them in one after the other, since a job computes most while it begins.
type gate struct {
	most  int                           // at any time
	least int                           // even on a machine that lags
	lag   func(time.Time) time.Duration // the worst lateness since a time
	limit time.Duration                 // of lateness that no judgement minds

	mu      sync.Mutex
	now     int // so many may run
	running int
	shrunk  time.Time
	grown   time.Time
	begins  time.Time     // not before then the next one
	changed chan struct{} // closed and replaced when a job ends
}

// settle is how long the gate looks back for lateness, and waits between two reductions.
const settle = time.Second

// growth is the time in which the gate opens for one more, when others wait.
const growth = 50 * time.Millisecond

// apart is the time between the beginnings of two jobs at least.
const apart = 10 * time.Millisecond

func newGate(most int, lag func(time.Time) time.Duration, limit time.Duration) *gate {
	return &gate{most: most, least: min(2, most), lag: lag, limit: limit, now: max(1, most/2), changed: make(chan struct{})}
}

// enter waits until one more job may run. The error is ctx's.
func (g *gate) enter(ctx context.Context) error {
	for ctx.Err() == nil {
		g.mu.Lock()
		if g.running < g.now {
			g.running++
			begins := time.Now()
			if g.begins.After(begins) {
				begins = g.begins
			}
			g.begins = begins.Add(apart)
			g.mu.Unlock()
			return g.await(ctx, begins)
		}
		changed := g.changed
		g.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		case now := <-time.After(growth):
			g.grow(now)
		}
	}
	return ctx.Err()
}

// await waits until a job that was let in may begin.
func (g *gate) await(ctx context.Context, begins time.Time) error {
	wait := time.NewTimer(time.Until(begins))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		g.leave()
		return ctx.Err()
	}
}

// grow lets one more in than before, unless the machine lags or it did so just now.
func (g *gate) grow(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.grown) >= growth && g.now < g.most && g.lag(now.Add(-settle)) <= g.limit {
		g.now++
		g.grown = now
		g.wake()
	}
}

// wake has all who wait look again.
func (g *gate) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// leave says that a job has ended.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.lag(now.Add(-settle)) <= g.limit {
		g.now = min(g.most, g.now+1)
	} else if now.Sub(g.shrunk) > settle {
		g.now, g.shrunk = max(g.least, min(g.now, g.running)*2/3), now
	}
	g.running--
	g.wake()
}
