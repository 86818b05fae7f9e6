package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The files of a run folder.
const (
	PlanFile    = "plan.json"     // the Plan, written first
	JournalFile = "events.jsonl"  // what became of the jobs, append-only
	ResultsFile = "results.json"  // the verdict and the results, written last
	ProductFile = "product.yaml"  // the product file as it was when the run was planned
	WireFile    = "wire.jsonl"    // in a job's folder: the events of its Log
	CaptureFile = "access.pcapng" // beside it: the frames of the device's access link, where it has one
	lockFile    = "lock"          // held by the process that writes
)

// ErrLocked is returned when another process writes the run.
var ErrLocked = errors.New("another process is writing this run")

// ErrReadOnly is returned by what writes on a run that was opened to be read.
var ErrReadOnly = errors.New("the run is open for reading only")

// Run is a run folder. One process writes it, any number read it at the same time. It is safe for concurrent use.
type Run struct {
	// Torn says what of the journal could not be read, one clause; empty when all of it could. A process that was killed while
	// it wrote leaves a torn last line: that job counts as not ended.
	Torn string

	dir  string
	plan Plan
	dirs map[Job]string // relative folders, by jobKey

	mu    sync.Mutex
	ended map[Job]Result // by jobKey
	size  int64          // bytes of the journal up to its last whole line
	file  *os.File       // the journal; nil when open for reading only
	lock  io.Closer
}

// CreateRun makes the run folder dir, which may exist if it holds nothing but what a start that was killed left of a plan, writes the
// plan and takes the run for writing.
func CreateRun(dir string, plan Plan) (*Run, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("create run folder: %w", err)
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() != lockFile && !isUnfinished(e.Name()) }) {
		return nil, fmt.Errorf("create run folder %s: it is not empty", dir)
	}
	r := newRun(dir, plan)
	if r.lock, err = takeLock(filepath.Join(dir, lockFile)); err != nil {
		return nil, fmt.Errorf("lock run folder %s: %w", dir, err)
	}
	r.sweep()
	if err := writeJSON(filepath.Join(dir, PlanFile), plan); err != nil {
		return nil, errors.Join(fmt.Errorf("write plan: %w", err), r.Close())
	}
	if err := r.openJournal(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// OpenRun opens a run folder for reading, in whatever state a killed process left it, and also while another process writes it.
// Only a folder without a readable plan fails.
func OpenRun(dir string) (*Run, error) {
	var plan Plan
	data, err := readBounded(filepath.Join(dir, PlanFile), maxPlan)
	if err == nil {
		err = json.Unmarshal(data, &plan)
	}
	if err != nil {
		return nil, fmt.Errorf("open run folder %s: read plan: %w", dir, err)
	}
	r := newRun(dir, plan)
	if err := r.readJournal(); err != nil {
		return nil, fmt.Errorf("open run folder %s: %w", dir, err)
	}
	return r, nil
}

func newRun(dir string, plan Plan) *Run {
	return &Run{dir: dir, plan: plan, dirs: jobDirs(plan.Jobs), ended: map[Job]Result{}}
}

// Resume takes a run that OpenRun gave for writing: it reads the journal again, cuts off a torn last line and notes at what wall
// time the run goes on. It fails with ErrLocked when another process has it.
func (r *Run) Resume(at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil {
		return nil
	}
	lock, err := takeLock(filepath.Join(r.dir, lockFile))
	if err != nil {
		return fmt.Errorf("lock run folder %s: %w", r.dir, err)
	}
	r.lock = lock
	r.sweep()
	if err = r.readJournal(); err == nil {
		err = r.openJournal()
	}
	if err == nil {
		err = r.append(entry{At: at, Event: "resumed"})
	}
	if err != nil {
		return errors.Join(fmt.Errorf("resume run %s: %w", r.dir, err), r.close())
	}
	return nil
}

// Plan is what the run set out to do.
func (r *Run) Plan() Plan { return r.plan }

// Results are the jobs that have ended, in the plan's order, with those that the plan itself decided.
func (r *Run) Results() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Result
	for _, j := range r.plan.Jobs {
		if j.Outcome != "" {
			out = append(out, Result{Check: j.Check, Variant: j.Variant, Repeat: j.Repeat, Outcome: j.Outcome, Reason: j.Reason, Hint: j.Hint})
		} else if res, ok := r.ended[jobKey(j)]; ok {
			out = append(out, res)
		}
	}
	return out
}

// Pending are the jobs that are still to be run, in the plan's order.
func (r *Run) Pending() []Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Job
	for _, j := range r.plan.Jobs {
		if _, ok := r.ended[jobKey(j)]; !ok && j.Outcome == "" {
			out = append(out, j)
		}
	}
	return out
}

// Started notes at what wall time a job starts and gives it an empty folder. What an earlier, interrupted attempt left in the
// folder is removed: no result ever pointed at it.
func (r *Run) Started(job Job, at time.Time) error {
	abs, _ := r.JobDir(job)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.writable(jobKey(job)); err != nil {
		return fmt.Errorf("start %s: %w", jobName(job), err)
	}
	if err := errors.Join(os.RemoveAll(abs), os.MkdirAll(abs, 0o755)); err != nil {
		return fmt.Errorf("start %s: %w", jobName(job), err)
	}
	return r.append(entry{At: at, Event: "job-start", Check: job.Check, Variant: job.Variant, Repeat: job.Repeat})
}

// Ended keeps the result of a job, on disk when it returns. Blank secrets in it before: Result.Redacted.
func (r *Run) Ended(res Result, at time.Time) error {
	key := Job{Check: res.Check, Variant: res.Variant, Repeat: res.Repeat}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.writable(key); err != nil {
		return fmt.Errorf("end %s: %w", jobName(key), err)
	}
	if res.Dir == "" {
		res.Dir = r.dirs[key]
	}
	e := entry{At: at, Event: "job-end", Check: res.Check, Variant: res.Variant, Repeat: res.Repeat, Result: &res}
	if err := r.append(e); err != nil {
		return err
	}
	r.ended[key] = res
	return nil
}

// Interrupted notes that the run stops before its end, and why.
func (r *Run) Interrupted(why string, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return ErrReadOnly
	}
	return r.append(entry{At: at, Event: "interrupted", Text: why})
}

// Finish writes v as results.json.
func (r *Run) Finish(v any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return ErrReadOnly
	}
	if err := writeJSON(filepath.Join(r.dir, ResultsFile), v); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// Close gives the run free for other processes. A run that is open for reading needs no Close.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.close()
}

func (r *Run) close() error {
	var errs []error
	if r.file != nil {
		errs = append(errs, r.file.Close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Close())
	}
	r.file, r.lock = nil, nil
	return errors.Join(errs...)
}

// writable says whether the result of this job may be written.
func (r *Run) writable(key Job) error {
	if r.file == nil {
		return ErrReadOnly
	}
	if _, ok := r.dirs[key]; !ok {
		return errors.New("the job is not in the plan")
	}
	return nil
}
