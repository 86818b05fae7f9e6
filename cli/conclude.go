package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/report"
	"github.com/shakedown-test/shakedown/verdict"
)

// carryOut runs what is pending in run, judges and reports.
func (a *app) carryOut(ctx context.Context, o campaign.Options, run *evidence.Run, dir, format string) error {
	a.mu.Lock()
	a.folder = dir
	a.mu.Unlock()
	w := a.watchRun(ctx, run.Pending(), campaign.PaceOf(o))
	_, err := campaign.Run(ctx, o, run, w)
	w.close()
	if errors.Is(err, context.Canceled) {
		return a.interrupted(run, dir)
	}
	if err != nil {
		return unwritten(err, dir)
	}
	in := a.judged(run)
	page := filepath.Join(dir, "report.html")
	for _, err := range []error{
		run.Write("report.html", func(w io.Writer) error { return report.HTML(w, in) }),
		run.Write("junit.xml", func(w io.Writer) error { return report.JUnit(w, in) }),
		run.Write("results.sarif", func(w io.Writer) error { return report.SARIF(w, in) }),
		run.Finish(report.Results(in)),
	} {
		if err != nil {
			return unwritten(err, dir)
		}
	}
	if format == "json" {
		err = report.JSON(a.Stdout, in)
		a.note("the report is %s", page)
	} else {
		err = report.Text(a.Stdout, in, report.Look{Colour: a.colours(a.OutTerminal), Report: page})
	}
	if err != nil {
		return failed(fmt.Errorf("print the results: %w", err))
	}
	return &exitError{code: codeOf(in.Verdict.Readiness)}
}

// unwritten is the end of a run whose folder cannot be written. What had ended is in it.
func unwritten(err error, dir string) error {
	return failed(fmt.Errorf("%w\nhint: see that there is room in %s and that you may write there\nhint: shakedown run --resume %s goes on then", err, dir, dir))
}

// judged is the run as far as it went, judged today.
func (a *app) judged(run *evidence.Run) report.Input {
	today, plan := a.Now(), run.Plan()
	results := verdict.Apply(plan, run.Results(), today)
	return report.Input{
		Plan: plan, Results: results, Verdict: verdict.Judge(plan, results, today), Events: run.Events, Generated: today,
	}
}

// interrupted keeps note of the early end and says how to go on.
func (a *app) interrupted(run *evidence.Run, dir string) error {
	all, left := len(run.Plan().Jobs), len(run.Pending())
	if err := run.Interrupted("a signal", a.Now()); err != nil {
		return failed(err)
	}
	return &exitError{exitInterrupted, fmt.Errorf("interrupted: %d of %s had ended\nhint: shakedown run --resume %s goes on\nhint: shakedown report %s shows what is known so far",
		all-left, count(all, "job"), dir, dir)}
}
