package series

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/count"
)

// loadPoints is how many points a report gets at most.
const loadPoints = 600

// Load is the record as evidence for a report, its points thinned to 600. What the record does not know (title, target, shape, devices,
// limits, capacity) is the caller's to fill in.
func (r *Record) Load() evidence.Load {
	l := evidence.Load{
		Started: r.Start, Seconds: r.Seconds, Shares: r.Shares, Totals: loadCounts(r.Totals.Counts), Latencies: loadLatencies(r.Totals.Latencies),
		Errors: loadClasses(r.Totals.Errors), Answers: loadClasses(r.Totals.Answers), Limits: []evidence.LoadLimit{},
		Invalid: r.Own.Invalid, OneWay: r.Own.OneWay, Notes: r.Notes,
		Own: evidence.LoadOwn{Kept: r.Own.Kept, LagP99: r.Own.LagP99, LagMax: r.Own.LagMax, CPU: r.Own.CPU, Cores: r.Own.Cores},
	}
	if r.Stopped {
		l.Notes = append([]string{fmt.Sprintf("It was ended before its time, after %d s.", r.Seconds)}, r.Notes...)
	}
	if c := r.Cost; c != nil {
		l.Own.PerDevice, l.Own.Base, l.Own.PerMessage = c.PerDevice, c.Base, c.CPU
	}
	if r.Messages != nil {
		l.Messages = loadMessages(*r.Messages)
	}
	for _, o := range r.Outages {
		l.Outages = append(l.Outages, evidence.LoadOutage(o))
	}
	l.Every, l.Points = r.thinned()
	return l
}

// thinned are the points, and how many seconds each of them stands for.
func (r *Record) thinned() (every int, points []evidence.LoadPoint) {
	every, points = 1, []evidence.LoadPoint{}
	if n := len(r.Points); n > 0 {
		every = r.Points[n-1].Second/loadPoints + 1
	}
	for from := 0; from < len(r.Points); {
		number := r.Points[from].Second / every
		to := from + 1
		for to < len(r.Points) && r.Points[to].Second/every == number {
			to++
		}
		points = append(points, loadPoint(number*every, r.Points[from:to]))
		from = to
	}
	return every, points
}

// loadPoint is one point for several: counts are added, of states and latencies the worst is taken.
func loadPoint(at int, of []Point) evidence.LoadPoint {
	p := evidence.LoadPoint{Second: at, Connected: of[0].Connected}
	var sum Counts
	var worst [timings]*Latency
	var errors, answers Classes
	for i := range of {
		q := &of[i]
		p.Connected, p.Meant, p.Outstanding = min(p.Connected, q.Connected), max(p.Meant, q.Devices), max(p.Outstanding, q.Outstanding)
		for c, n := range q.Counts {
			sum[c] += n
		}
		for _, l := range q.Latencies {
			w := worst[l.Timing]
			if w == nil {
				worst[l.Timing] = &l
				continue
			}
			w.Mean = (w.Mean*float64(w.Count) + l.Mean*float64(l.Count)) / float64(w.Count+l.Count)
			w.Count, w.Unanswered = w.Count+l.Count, w.Unanswered+l.Unanswered
			w.P50, w.P90, w.P99, w.P999, w.Max = max(w.P50, l.P50), max(w.P90, l.P90), max(w.P99, l.P99), max(w.P999, l.P999), max(w.Max, l.Max)
		}
		for name, n := range q.Errors {
			errors.add(name, n)
		}
		for name, n := range q.Answers {
			answers.add(name, n)
		}
	}
	p.Counts, p.Errors, p.Answers = loadCounts(sum), fewClasses(errors), fewClasses(answers)
	var list []Latency
	for _, l := range worst {
		if l != nil {
			list = append(list, *l)
		}
	}
	p.Latencies = loadLatencies(list)
	return p
}

// loadCounts are the counters by name.
func loadCounts(c Counts) evidence.LoadCounts {
	return evidence.LoadCounts{
		Attempts: c[Attempts], Accepted: c[Accepted], Refused: c[Refused], Broken: c[Broken], Dropped: c[Dropped], Sent: c[Sent], Acked: c[Acked],
		Rejected: c[Rejected], Withheld: c[Withheld], Received: c[Received], Unanswered: c[Unanswered], BytesOut: c[BytesOut], BytesIn: c[BytesIn],
	}
}

func loadLatencies(list []Latency) []evidence.LoadLatency {
	out := []evidence.LoadLatency{}
	for _, l := range list {
		out = append(out, evidence.LoadLatency{
			Timing: l.Timing.String(), Count: l.Count, Unanswered: l.Unanswered, Mean: l.Mean, P50: l.P50, P90: l.P90, P99: l.P99, P999: l.P999, Max: l.Max,
		})
	}
	return out
}

// loadClasses are classes, the most frequent first.
func loadClasses(c Classes) []evidence.LoadClass {
	out := []evidence.LoadClass{}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		out = append(out, evidence.LoadClass{Name: name, Count: c[name]})
	}
	slices.SortStableFunc(out, func(a, b evidence.LoadClass) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

// fewClasses are the eight most frequent of one point, and the sum of the others.
func fewClasses(c Classes) []evidence.LoadClass {
	const few = 8
	list := loadClasses(c)
	if len(list) <= few {
		return list
	}
	rest := evidence.LoadClass{Name: other}
	for _, l := range list[few:] {
		rest.Count += l.Count
	}
	return append(list[:few:few], rest)
}

func loadMessages(t count.Totals) evidence.LoadMessages {
	m := evidence.LoadMessages{
		Numbered: true, Watched: t.Watched, Sent: t.Sent, Acked: t.Acked, Arrived: t.Arrived, Lost: t.Lost, LostAcked: t.LostAcked,
		Duplicates: t.Duplicates, Late: t.Late, Leaked: t.Leaked, Foreign: t.Foreign, Strange: t.Strange, Unsent: t.Unsent, Void: t.Void,
	}
	for _, sort := range slices.Sorted(maps.Keys(t.Examples)) {
		m.Examples = append(m.Examples, fmt.Sprintf("%s: %s", sort, words(t.Examples[sort])))
	}
	return m
}

// words are messages in a line.
func words(list []count.Message) string {
	out := ""
	for i, m := range list {
		if i > 0 {
			out += ", "
		}
		out += m.String()
	}
	return out
}
