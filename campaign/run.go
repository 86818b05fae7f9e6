package campaign

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

// Watcher is told what happens while a campaign runs. Its methods are called from several goroutines.
type Watcher interface {
	Started(job evidence.Job)
	Step(job evidence.Job, text string)
	Ended(result evidence.Result)
	Tell(line string)                                                    // for the person at the bench
	Ask(ctx context.Context, question string) (answer string, err error) // of the person at the bench
}

// runner carries what the jobs of one campaign share.
type runner struct {
	o       Options
	run     *evidence.Run
	watch   Watcher
	checks  map[string]*check.Check
	pki     *pki.Authority
	lag     *lagMeter
	gate    *gate
	shelf   artefact.Shelf
	serial  map[string]*sync.Mutex // by part: those whose driver runs one instance at a time
	mu      sync.Mutex
	again   []evidence.Result // not passed, while the machine lagged
	failure error             // of writing evidence
	giveUp  func()            // ends the campaign; what is not written was not seen
}

// Run carries out the pending jobs of run and returns the results of all its jobs, in the plan's order. It ends early when ctx is
// done or evidence cannot be written; what had ended is kept and the rest stays pending.
func Run(ctx context.Context, o Options, run *evidence.Run, watch Watcher) ([]evidence.Result, error) {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := newRunner(o, watch, cancel)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.run = run

	jobs := run.Pending()
	slices.SortStableFunc(jobs, func(a, b evidence.Job) int { // the longest first, so that none is left alone at the end
		return int(r.checks[b.Check].Typical - r.checks[a.Check].Typical)
	})
	start := time.Now()
	each(work, jobs, max(1, o.Parallel), func(job evidence.Job) { r.one(work, job, o.Parallel > 1 && o.Confirm) })
	r.confirm(work, max(confirmAtLeast, 2*time.Since(start)))
	if r.failure != nil {
		return nil, fmt.Errorf("write evidence: %w", r.failure)
	}
	return run.Results(), ctx.Err()
}

// calm is how many jobs run at once when failures are repeated: one where device time runs faster than the clock on the wall, else a
// few, as they only wait for most of the time.
func calm(o Options) int {
	if o.Product.Declared.Speed > 1 {
		return 1
	}
	return min(4, max(1, o.Parallel))
}

func newRunner(o Options, watch Watcher, giveUp func()) (*runner, error) {
	authority, err := pki.New(clock.New(1).Now)
	if err != nil {
		return nil, fmt.Errorf("make the run's certificate authority: %w", err)
	}
	r := &runner{o: o, watch: watch, giveUp: giveUp, pki: authority, checks: map[string]*check.Check{}, serial: map[string]*sync.Mutex{}}
	for _, risk := range o.Risks {
		for _, c := range risk.Checks {
			r.checks[c.ID] = c
		}
	}
	for _, p := range o.Product.Parts {
		if o.Kinds[p.Driver].Instances == 1 {
			r.serial[p.Name] = &sync.Mutex{}
		}
	}
	spread(o.Parallel)
	r.lag = startLagMeter()
	r.gate = newGate(max(1, o.Parallel), r.lag.since, tolerable(o.Product))
	return r, nil
}

// close frees what the jobs shared.
func (r *runner) close() {
	r.lag.stop()
	r.shelf.Close()
}

// each does all of list, so many at once, in its order; it begins nothing more when ctx is done.
func each[E any](ctx context.Context, list []E, parallel int, do func(E)) {
	queue := make(chan E)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for e := range queue {
				do(e)
			}
		})
	}
	for _, e := range list {
		select {
		case queue <- e:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
}

// one runs a job and records its result. With mayRepeat, a failure seen while the machine lagged is put off to be seen again in a calm.
func (r *runner) one(ctx context.Context, job evidence.Job, mayRepeat bool) {
	c := r.checks[job.Check]
	if part := r.o.Product.PartFor(c.Needs.Real, c.Needs.Speaks); part != nil && r.serial[part.Name] != nil {
		r.serial[part.Name].Lock()
		defer r.serial[part.Name].Unlock()
	}
	if r.gate.enter(ctx) != nil {
		return
	}
	defer r.gate.leave()
	r.watch.Started(job)
	start := time.Now()
	if !r.keep(r.run.Started(job, start)) {
		return
	}
	abs, rel := r.run.JobDir(job)
	result := r.execute(ctx, job, r.o.Defects, abs, rel)
	if ctx.Err() != nil {
		return // interrupted: it stays pending
	}
	result.Started, result.Seconds = start, time.Since(start).Seconds()
	if mayRepeat && result.Outcome != evidence.Pass && result.Outcome != evidence.NotApplicable && r.lag.since(start) > tolerable(r.o.Product) {
		r.mu.Lock()
		r.again = append(r.again, result)
		r.mu.Unlock()
		r.watch.Step(job, "to be repeated when all others have ended: the machine lagged")
		return
	}
	r.ended(result)
}

// confirmAtLeast is the wall time that there is, however short the campaign, to repeat what failed while the machine lagged.
const confirmAtLeast = 2 * time.Minute

// confirm repeats in calm what was put off. A part can make the machine lag by itself, so this may not go on for ever: what is not
// begun within that wall time stands as it was first seen.
func (r *runner) confirm(ctx context.Context, within time.Duration) {
	over := time.Now().Add(within)
	each(ctx, r.again, calm(r.o), func(first evidence.Result) {
		if time.Now().Before(over) {
			r.one(ctx, evidence.Job{Check: first.Check, Variant: first.Variant, Repeat: first.Repeat}, false)
			return
		}
		if first.Reason != "" {
			first.Reason += "; "
		}
		first.Reason += "seen while the machine was too busy to keep time, and not confirmed"
		r.ended(first)
	})
}

// ended keeps the result of a job.
func (r *runner) ended(result evidence.Result) {
	if !r.o.KeepSecrets {
		result = result.Redacted()
	}
	if r.keep(r.run.Ended(result, time.Now())) {
		r.watch.Ended(result)
	}
}

// keep remembers the first error of writing evidence and ends the campaign with it. It reports whether err is nil.
func (r *runner) keep(err error) bool {
	if err == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure == nil {
		r.failure = err
	}
	r.giveUp()
	return false
}

// execute opens a testbed for the job, runs the check and closes everything. The job's evidence goes to the folder abs, which
// results call rel. When that cannot be written, the campaign ends.
func (r *runner) execute(ctx context.Context, job evidence.Job, defects []string, abs, rel string) (result evidence.Result) {
	c := r.checks[job.Check]
	result = evidence.Result{Check: job.Check, Variant: job.Variant, Repeat: job.Repeat, Outcome: evidence.NotRun}
	if !r.keep(os.MkdirAll(abs, 0o755)) {
		return result
	}
	wire, err := os.Create(filepath.Join(abs, evidence.WireFile))
	if !r.keep(err) {
		return result
	}
	clk := clock.New(r.o.Product.Declared.Speed)
	log := evidence.NewLog(clk.Now, wire, r.o.KeepSecrets)
	packets := &captured{dir: abs, keep: r.o.KeepSecrets, clk: clk, log: log}
	defer func() { r.keep(errors.Join(packets.close(), log.Close(), wire.Close())) }()
	bed, err := testbed.Open(testbed.Config{
		Product: r.o.Product, Variant: r.variant(job.Variant), Real: c.Needs.Real, Speaks: c.Needs.Speaks, Kinds: r.o.Kinds, PKI: r.pki,
		Clock: clk, Log: log, Seed: seedOf(r.o.Seed, job), Dir: filepath.Join(abs, "state"), Defects: defects,
		Shelf: &r.shelf, Proxied: c.Needs.Proxy, Ask: r.watch.Ask, Tell: r.watch.Tell, Play: r.o.Play, Capture: packets.begin,
	})
	if !r.keep(packets.failure) {
		return result
	}
	if err != nil {
		result.Reason = err.Error()
		return result
	}
	defer bed.Close()
	done := c.Execute(ctx, check.Execution{
		Bed: bed, Reproduce: r.reproduce(job), File: filepath.ToSlash(filepath.Join(rel, evidence.WireFile)), Capture: packets.name(rel),
		Limit: r.o.Timeout, Schedule: r.o.Schedule, Shrink: r.o.Shrink, Profiles: r.o.Profiles,
		Progress: func(text string) { r.watch.Step(job, text) },
	})
	done.Repeat, done.Dir = job.Repeat, rel
	return done
}

func (r *runner) variant(name string) product.Variant {
	for _, v := range r.o.Product.Variants {
		if v.Name == name {
			return v
		}
	}
	return product.Variant{Name: name}
}

// reproduce is the command that runs just this job again. What a check was told of networks and their faults it adds itself, as far as a
// finding rests on it.
func (r *runner) reproduce(job evidence.Job) string {
	command := fmt.Sprintf("%s --only %s --seed %d", r.o.Command, job.Check, r.o.Seed)
	for _, d := range r.o.Defects {
		command += " --defect " + d
	}
	if r.o.Timeout > 0 {
		command += " --timeout " + r.o.Timeout.String()
	}
	return command
}

// seedOf gives each job its own random numbers, the same whenever the run's seed is.
func seedOf(seed uint64, job evidence.Job) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s %d", seed, job.Check, job.Variant, job.Repeat)
	return h.Sum64()
}
