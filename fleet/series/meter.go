package series

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Meter collects what one event loop sees. It is for one goroutine. The zero value is ready. Once a timing or a class has been seen, seeing
// it again allocates nothing.
type Meter struct {
	counts  Counts
	gauges  [gauges]int64
	timings [timings]*hdr.Histogram // some 190 kB each; nil until used
	errors  tally
	answers tally

	unanswered [timings]uint64
}

// Count adds to a counter.
func (m *Meter) Count(c Counter, n int) { m.counts[c] += uint64(n) }

// Set says how a gauge stands. It stays so over the following intervals.
func (m *Meter) Set(g Gauge, n int) { m.gauges[g] = int64(n) }

// Time notes a latency, to the microsecond, with three digits kept. Above an hour it is taken as an hour.
func (m *Meter) Time(t Timing, d time.Duration) {
	h := m.timings[t]
	if h == nil {
		h = hdr.New(1, longest, digits)
		m.timings[t] = h
	}
	if d < 0 {
		m.counts[Skewed]++
		d = 0
	}
	_ = h.RecordValue(min(d.Microseconds(), longest)) // it is in the range
}

// Unanswered notes at the end of a run what still waits for its answer, with the time that has passed since it was due. It goes among the
// latencies as well, so that a silent far end is seen in them, and is counted apart, since the true latency is longer.
func (m *Meter) Unanswered(t Timing, passed time.Duration) {
	m.counts[Unanswered]++
	m.unanswered[t]++
	m.Time(t, passed)
}

// Error notes a failure by its class, such as "connection refused"; more than 64 classes become "other".
func (m *Meter) Error(class string) { m.errors.add(class) }

// Answer notes how the other side answered, such as "CONNACK 0x97 quota exceeded"; more than 64 become "other".
func (m *Meter) Answer(what string) { m.answers.add(what) }

// Cut ends the current interval: it gives what was collected in it, and begins the next.
func (m *Meter) Cut() *Slice {
	s := &Slice{Counts: m.counts, gauges: m.gauges, unanswered: m.unanswered, errors: m.errors.cut(), answers: m.answers.cut()}
	m.counts, m.unanswered = Counts{}, [timings]uint64{}
	for t, h := range m.timings {
		if h == nil || h.TotalCount() == 0 {
			continue
		}
		s.timings[t] = hdr.NewPacked(1, longest, digits)
		s.timings[t].MergeFrom(h)
		s.timings[t].Compact()
		h.Reset()
	}
	return s
}

// tally counts by class. It keeps the names over the cuts, so that a class costs once.
type tally struct {
	place map[string]int
	names []string
	n     []uint64
}

const (
	classes   = 64  // that are told apart
	nameLimit = 120 // bytes of a class's name
	other     = "other"
)

func (t *tally) add(name string) {
	i, ok := t.place[name]
	if !ok {
		i = t.room(name)
	}
	t.n[i]++
}

// room is the place of a class that is not known under this name.
func (t *tally) room(name string) int {
	if t.place == nil {
		t.place = map[string]int{}
	}
	name = clip(name)
	if len(t.names) >= classes {
		name = other
	}
	i, ok := t.place[name]
	if !ok {
		i = len(t.names)
		t.place[name] = i
		t.names = append(t.names, name)
		t.n = append(t.n, 0)
	}
	return i
}

// cut is what was counted, and sets it to zero.
func (t *tally) cut() Classes {
	var c Classes
	for i, n := range t.n {
		if n > 0 {
			c.add(t.names[i], n)
			t.n[i] = 0
		}
	}
	return c
}
