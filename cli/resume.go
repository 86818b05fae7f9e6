package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/product"
)

// fixed are the flags that --resume takes from the run.
var fixed = []string{"only", "skip", "risk", "seed", "repeat", "timeout", "out", "defect", "keep-secrets", "schedule", "profile"}

// resume goes on with a run as it was begun. Nothing that had ended is run again.
func (a *app) resume(cmd *cobra.Command, args []string, f runFlags) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("--resume goes on with the run's own product file\nhint: leave %s out", args[0]))
	}
	for _, flag := range fixed {
		if cmd.Flags().Changed(flag) {
			return usage(fmt.Errorf("--resume goes on as the run was begun\nhint: leave --%s out", flag))
		}
	}
	run, err := evidence.OpenRun(f.resume)
	if err != nil {
		return usage(fmt.Errorf("%w\nhint: name the folder of a run", err))
	}
	plan := run.Plan()
	p, err := a.productOf(run)
	if err != nil {
		return err
	}
	o := campaign.Options{
		Product: p, File: plan.File, Command: plan.Command, Risks: a.risks, Incidents: checks.Incident, Kinds: a.kinds, Version: Version, Seed: plan.Seed,
		Timeout: time.Duration(plan.Timeout * float64(time.Second)), Defects: plan.Defects, KeepSecrets: plan.KeepSecrets,
		Parallel: parallel(p, f.jobs, runtime.NumCPU()), Confirm: true,
		Shrink: f.shrink, Profiles: plan.Profiles,
	}
	if plan.Schedule != "" {
		if o.Schedule, err = schedule.Parse(plan.Schedule); err != nil {
			return failed(fmt.Errorf("read the schedule of the run: %w", err))
		}
	}
	if err := a.canGoOn(run, p); err != nil {
		return err
	}
	if err := run.Resume(a.Now()); errors.Is(err, evidence.ErrLocked) {
		return usage(fmt.Errorf("%w\nhint: wait for its end, or end it", err))
	} else if err != nil {
		return unwritten(err, f.resume)
	}
	defer run.Close()
	if run.Torn != "" {
		a.note("%s", run.Torn)
	}
	left := len(run.Pending())
	a.note("%d of %s had ended; going on with %d, seed %s", len(plan.Jobs)-left, count(len(plan.Jobs), "job"), left, strconv.FormatUint(plan.Seed, 10))
	return a.carryOut(cmd.Context(), o, run, f.resume, f.format)
}

// canGoOn says why this binary or product cannot carry out what is left of a run.
func (a *app) canGoOn(run *evidence.Run, p *product.Product) error {
	checks, variants := map[string]bool{}, map[string]bool{}
	for _, id := range a.checkIDs() {
		checks[id] = true
	}
	for _, v := range p.Variants {
		variants[v.Name] = true
	}
	for _, j := range run.Pending() {
		if !checks[j.Check] {
			return usage(fmt.Errorf("this shakedown has no check %s, which the run still has to do\nhint: resume with shakedown %s", j.Check, run.Plan().Version))
		}
		if !variants[j.Variant] {
			return usage(fmt.Errorf("the product file has no variant %q, which the run still has to test\nhint: begin a new run", j.Variant))
		}
	}
	return nil
}

// productOf is the product of a run: from the copy in its folder, or, where secrets are blanked in that, from what was copied.
func (a *app) productOf(run *evidence.Run) (*product.Product, error) {
	src, err := run.Product()
	if err == nil {
		return a.parse(evidence.ProductFile, src)
	}
	if !errors.Is(err, evidence.ErrBlanked) && !errors.Is(err, fs.ErrNotExist) { // killed before the copy was made
		return nil, failed(err)
	}
	p, original, fault := a.load(run.Plan().File)
	if original == nil {
		return nil, usage(fmt.Errorf("%w, and %w\nhint: resume in the folder in which the run was begun", err, fault))
	}
	if src != nil && !bytes.Equal(src, evidence.BlankProduct(original)) {
		return nil, usage(fmt.Errorf("the product file %s was changed since the run began\nhint: begin a new run", run.Plan().File))
	}
	return p, fault
}

// note tells the person something beside the output.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.Stderr, plain("note: "+fmt.Sprintf(format, args...)))
}
