package campaign

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
)

// Planted is a defect of the reference product, and the checks that must find it.
type Planted struct {
	ID      string
	What    string
	FoundBy []string // check ids
}

// Matrix is how the planted-defect matrix came out. It holds when Missed, FalseAlarms, Undecided and Idle are empty.
type Matrix struct {
	Seed        uint64       `json:"seed"`
	Checks      []string     `json:"checks"`
	Defects     []Found      `json:"defects"`
	Missed      []Miss       `json:"missed"`       // law 2: a defect that a check named by it did not find
	FalseAlarms []FalseAlarm `json:"false_alarms"` // law 1: findings on the clean reference product
	Undecided   []FalseAlarm `json:"undecided"`    // checks that could not be carried out on the clean reference product
	Idle        []string     `json:"idle"`         // law 3: checks that find no planted defect
	Repetitions int          `json:"clean_repetitions"`
	Seconds     float64      `json:"seconds"`
}

// Holds reports whether the three laws hold.
func (m Matrix) Holds() bool {
	return len(m.Missed)+len(m.FalseAlarms)+len(m.Undecided)+len(m.Idle) == 0
}

// Found is a defect with the checks that found it, and what they said.
type Found struct {
	ID      string            `json:"id"`
	What    string            `json:"what"`
	FoundBy []string          `json:"found_by"`
	Titles  map[string]string `json:"titles"` // by check: the title of its worst finding
}

// Miss is a check that did not find a defect that it should.
type Miss struct {
	Defect string `json:"defect"`
	Check  string `json:"check"`  // empty: there is none that names it
	Reason string `json:"reason"` // what became of it instead
}

// FalseAlarm is what a check made of the clean reference product.
type FalseAlarm struct {
	Check   string `json:"check"`
	Variant string `json:"variant"`
	Text    string `json:"text"`
}

// Selftest runs the planted-defect matrix: every selected check on the clean product, so many times (0: law 1 is not looked at), and
// every defect under the checks that must find it, on one variant after the other until one shows it. Evidence goes to a folder below
// dir.
func Selftest(ctx context.Context, o Options, defects []Planted, repetitions int, dir string, watch Watcher) (Matrix, error) {
	m := Matrix{Seed: o.Seed, Repetitions: repetitions, Defects: []Found{}, Missed: []Miss{}, FalseAlarms: []FalseAlarm{}, Undecided: []FalseAlarm{}, Idle: []string{}}
	start := time.Now()
	o.Repeat = repetitions
	plan, err := Plan(o, start)
	if err != nil {
		return m, err
	}
	s := &selftest{o: o, m: &m, ran: map[string]bool{}, dir: dir}
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.runner, err = newRunner(o, watch, cancel); err != nil {
		return m, err
	}
	defer s.runner.close()
	for _, j := range plan.Jobs {
		if !slices.Contains(m.Checks, j.Check) {
			m.Checks = append(m.Checks, j.Check)
		}
	}
	tasks := s.planted(defects, plan.Variants)
	if repetitions > 0 {
		tasks = append(tasks, s.clean(plan.Jobs)...)
	}
	slices.SortStableFunc(tasks, func(a, b task) int { // not many of one check at once, and the longest of a round first
		return cmp.Or(a.round-b.round, cmp.Compare(b.takes, a.takes))
	})
	each(work, tasks, max(1, o.Parallel), func(t task) { t.do(work) })
	if s.runner.failure != nil {
		return m, fmt.Errorf("write evidence: %w", s.runner.failure)
	}
	for _, id := range m.Checks {
		if !s.ran[id] {
			m.Idle = append(m.Idle, id)
		}
	}
	m.Seconds = time.Since(start).Seconds()
	return m, ctx.Err()
}

// selftest is one run of the matrix.
type selftest struct {
	o      Options
	runner *runner
	dir    string

	mu  sync.Mutex
	m   *Matrix
	ran map[string]bool // by check: it found a planted defect
	n   int
}

// task is one cell of the matrix, or one clean repetition.
type task struct {
	takes time.Duration // device time, about
	round int           // repetition; cells are spread over the rounds, the longest in the first
	do    func(context.Context)
}

// inVain is about how long a check runs on a product with a defect, in device time: it may wait for what never comes, and the longer
// the more time it has, but seldom for more than 100 s.
func inVain(c *check.Check) time.Duration { return c.Typical + min(c.Limit/10, 100*time.Second) }

// clean gives the tasks of law 1.
func (s *selftest) clean(jobs []evidence.Job) (tasks []task) {
	for _, job := range jobs {
		if job.Outcome == evidence.NotApplicable {
			continue
		}
		tasks = append(tasks, task{s.runner.checks[job.Check].Typical, job.Repeat, func(ctx context.Context) {
			r := evidence.Result{Check: job.Check, Variant: job.Variant, Outcome: job.Outcome, Reason: job.Reason}
			if job.Outcome == "" {
				r = s.steady(ctx, job)
			}
			if ctx.Err() != nil {
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, f := range r.Findings {
				s.m.FalseAlarms = append(s.m.FalseAlarms, FalseAlarm{Check: job.Check, Variant: job.Variant, Text: f.Title + ": " + f.Seen})
			}
			if r.Outcome == evidence.NotRun {
				s.m.Undecided = append(s.m.Undecided, FalseAlarm{Check: job.Check, Variant: job.Variant, Text: r.Reason})
			}
		}})
	}
	return tasks
}

// planted gives the tasks of law 2: each check that a defect names, on one variant after the other until one shows it.
func (s *selftest) planted(defects []Planted, variants []evidence.VariantInfo) (tasks []task) {
	for i, d := range defects {
		s.m.Defects = append(s.m.Defects, Found{ID: d.ID, What: d.What, FoundBy: []string{}, Titles: map[string]string{}})
		for _, id := range d.FoundBy {
			if slices.Contains(s.m.Checks, id) {
				do := func(ctx context.Context) { s.look(ctx, i, d.ID, id, variants) }
				tasks = append(tasks, task{takes: inVain(s.runner.checks[id]), do: do})
			}
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return cmp.Compare(b.takes, a.takes) })
	for i := range tasks {
		tasks[i].round = i * max(1, s.o.Repeat) / len(tasks)
	}
	return tasks
}

// tries is how often a job runs at most, when the machine lagged meanwhile and that may explain what was seen; the gate sees to it that
// less and less runs beside it.
const tries = 5

// look runs a check on the product with a defect planted in it, and again on all variants while the machine lagged, be it as little as
// the meter notices: a check that measures finely gives the benefit of the doubt long before others would raise a false alarm.
func (s *selftest) look(ctx context.Context, place int, defect, id string, variants []evidence.VariantInfo) {
	reason := ""
	for n, lagged := 0, true; n < tries && lagged; n++ {
		reason, lagged = "", false
		for _, v := range variants {
			r, lag := s.once(ctx, evidence.Job{Check: id, Variant: v.Name}, []string{defect})
			if ctx.Err() != nil {
				return
			}
			if r.Outcome == evidence.Fail {
				s.mu.Lock()
				defer s.mu.Unlock()
				f := &s.m.Defects[place]
				f.FoundBy = append(f.FoundBy, id)
				f.Titles[id] = r.Findings[0].Title
				s.ran[id] = true
				return
			}
			reason += v.Name + ": " + string(r.Outcome) + " " + r.Reason + "; "
			lagged = lagged || lag > 0
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.Missed = append(s.m.Missed, Miss{Defect: defect, Check: id, Reason: reason})
}

// steady runs a job on the clean product, and again while it does not pass and the machine lagged.
func (s *selftest) steady(ctx context.Context, job evidence.Job) (r evidence.Result) {
	for range tries {
		var lag time.Duration
		r, lag = s.once(ctx, job, nil)
		if good := r.Outcome != evidence.Fail && r.Outcome != evidence.NotRun; good || lag <= tolerable(s.o.Product) || ctx.Err() != nil {
			return r
		}
	}
	return r
}

// once runs a job and says how much the machine lagged meanwhile.
func (s *selftest) once(ctx context.Context, job evidence.Job, defects []string) (r evidence.Result, lag time.Duration) {
	if s.runner.gate.enter(ctx) != nil {
		return r, 0
	}
	defer s.runner.gate.leave()
	s.mu.Lock()
	s.n++
	name := strconv.Itoa(s.n)
	s.mu.Unlock()
	dir := filepath.Join(s.dir, name)
	defer os.RemoveAll(dir)
	start := time.Now()
	s.runner.watch.Started(job)
	r = s.runner.execute(ctx, job, defects, dir, name)
	r.Seconds = time.Since(start).Seconds()
	s.runner.watch.Ended(r)
	return r, s.runner.lag.since(start)
}
