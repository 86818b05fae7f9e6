package series

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	open       = 30 // seconds for which slices may come late; then a second is summed up
	lastSecond = 366 * 86400
)

// Collector makes the record of a run from the slices of its shares, whenever they come. It is safe for concurrent use. It keeps the
// histograms of the newest 30 seconds and of the whole; a second that is older than a minute and a half is in a file.
type Collector struct {
	mu     sync.Mutex
	start  time.Time
	newest int
	open   map[int]*second
	shares map[int]*share
	closed archive // older than those that are open
	total  Slice
}

// second is what has come so far of one second.
type second struct {
	sum    Slice
	gauges map[int][gauges]int64 // by share
}

// share is one loop, process or machine that measures.
type share struct {
	last   int           // second of its newest slice
	gauges [gauges]int64 // at the newest second that was summed up
}

// NewCollector returns one for a run that begins at a time.
func NewCollector(start time.Time) *Collector {
	return &Collector{start: start, newest: -1, open: map[int]*second{}, shares: map[int]*share{}}
}

// Add takes what a share collected in a second, counted from the start. Several slices for the same second add up, but for their gauges:
// the last one says how they stood. The slice is left as it is.
func (c *Collector) Add(from, at int, s *Slice) error {
	if at < 0 || at > lastSecond {
		return fmt.Errorf("take a slice of a series: it is of second %d", at)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total.addCounts(s)
	who := c.shares[from]
	if who == nil {
		who = &share{}
		c.shares[from] = who
	}
	who.last = max(who.last, at)
	if at <= c.newest-open {
		c.late(at, s)
		return nil
	}
	sec := c.open[at]
	if sec == nil {
		sec = &second{gauges: map[int][gauges]int64{}}
		c.open[at] = sec
	}
	sec.sum.addCounts(s)
	sec.gauges[from] = s.gauges
	if at > c.newest {
		c.newest = at
		c.closed.add(c.settle(func(at int) bool { return at <= c.newest-open }, true)...)
	}
	return nil
}

// late adds a slice to a second that was summed up already. Its latencies are in the totals alone.
func (c *Collector) late(at int, s *Slice) {
	c.closed.change(at, func(p *Point) {
		for k, n := range s.Counts {
			p.Counts[k] += n
		}
		for name, n := range s.errors {
			p.Errors.add(name, n)
		}
		for name, n := range s.answers {
			p.Answers.add(name, n)
		}
		p.Connected += s.Gauge(Connected)
		p.Devices += s.Gauge(Devices)
		p.Outstanding += s.Gauge(Outstanding)
		p.Held += s.Gauge(Held)
		p.Shares++
		p.Partly = true
	})
}

// settle sums up the open seconds that are chosen, in order. Those that go are closed.
func (c *Collector) settle(chosen func(at int) bool, closing bool) []Point {
	stand := c.stand(-1)
	var points []Point
	for _, at := range slices.Sorted(maps.Keys(c.open)) {
		if !chosen(at) {
			continue
		}
		sec := c.open[at]
		maps.Copy(stand, sec.gauges)
		points = append(points, c.point(at, sec, stand))
		if closing {
			delete(c.open, at)
		}
	}
	if closing {
		for from, g := range stand {
			c.shares[from].gauges = g
		}
	}
	return points
}

// stand is how the gauges of all shares stood at the end of a second that is open, or, with -1, before those.
func (c *Collector) stand(at int) map[int][gauges]int64 {
	all := map[int][gauges]int64{}
	for from, who := range c.shares {
		all[from] = who.gauges
	}
	for _, second := range slices.Sorted(maps.Keys(c.open)) {
		if second <= at {
			maps.Copy(all, c.open[second].gauges)
		}
	}
	return all
}

// point is a second summed up. A share that says nothing about it but reports later stands as it stood before; one that has fallen silent
// counts for nothing.
func (c *Collector) point(at int, sec *second, stand map[int][gauges]int64) Point {
	p := Point{
		Second: at, Shares: len(sec.gauges), Counts: sec.sum.Counts, Latencies: latencies(&sec.sum.timings, &sec.sum.unanswered),
		Errors: maps.Clone(sec.sum.errors), Answers: maps.Clone(sec.sum.answers),
	}
	for from, g := range stand {
		if c.shares[from].last < at {
			continue
		}
		p.Connected += int(g[Connected])
		p.Devices += int(g[Devices])
		p.Outstanding += int(g[Outstanding])
		p.Held += int(g[Held])
	}
	return p
}

// Latest is the newest second about which every share that still reports has said something, for showing progress; false before the first.
func (c *Collector) Latest() (Point, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	whole := -1
	for at, sec := range c.open {
		if at <= whole {
			continue
		}
		missing := false
		for from, who := range c.shares {
			_, said := sec.gauges[from]
			missing = missing || !said && who.last >= c.newest-3
		}
		if !missing {
			whole = at
		}
	}
	if whole < 0 {
		return Point{}, false
	}
	return c.point(whole, c.open[whole], c.stand(whole)), true
}

// Record is what is known so far. What only the engine knows (Seconds, Messages, Outages, Own but for its lag, Cost, Notes) is the
// caller's to fill in. The error is one of the file that holds older seconds.
func (c *Collector) Record() (*Record, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	points, err := c.closed.all()
	if err != nil {
		return nil, err
	}
	return c.record(points), nil
}

// Recent is a record without the points that are older than half a minute.
func (c *Collector) Recent() *Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.record(nil)
}

// record is what is known so far, with these points before those that are open.
func (c *Collector) record(before []Point) *Record {
	r := &Record{
		Schema: SchemaID, Start: c.start, Seconds: c.newest + 1, Shares: len(c.shares),
		Points: append(before, c.settle(func(int) bool { return true }, false)...),
		Totals: Totals{
			Counts: c.total.Counts, Latencies: latencies(&c.total.timings, &c.total.unanswered),
			Errors: maps.Clone(c.total.errors), Answers: maps.Clone(c.total.answers),
		},
	}
	for t, h := range c.total.timings {
		r.timings[t] = merged(nil, h)
	}
	if lag, ok := r.Latency(Lag); ok {
		r.Own.LagP99, r.Own.LagMax = lag.P99, lag.Max
	}
	return r
}
