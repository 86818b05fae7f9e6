package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/reference"
)

func (a *app) selftestCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Prove the checks with defects that are planted in the reference product",
		Long: `Runs every check on the clean reference product, again and again, and on
products with planted defects. Three laws must hold:
  1. the clean product has no findings;
  2. every planted defect is found by the checks that name it;
  3. every check finds a planted defect.
The exit code is 1 when one of them does not.`,
		Example: `  shakedown selftest
  shakedown selftest --only expiry.cert-expired --repeat 1`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.selftest(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringSliceVar(&f.only, "only", nil, "only these `checks`: ids, or their beginnings")
	fl.StringSliceVar(&f.defects, "defect", nil, "only these `defects`")
	fl.Uint64Var(&f.seed, "seed", 1, "`number` that all chance comes from")
	fl.IntVar(&f.repeat, "repeat", 20, "`repetitions` on the clean product")
	fl.IntVar(&f.jobs, "jobs", 0, "`number` of checks at once (default 160)")
	complete(c, "only", a.checkIDs())
	complete(c, "defect", defectIDs())
	formats(c, &f.format, "json")
	return c
}

func (a *app) selftest(ctx context.Context, f runFlags) error {
	p, _, err := a.load("")
	if err != nil {
		return failed(err)
	}
	if f.repeat < 1 || f.jobs < 0 {
		return usage(errors.New("--repeat must be 1 or more; --jobs cannot be negative"))
	}
	if err := plantable(p, f.defects); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "shakedown-selftest-")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	o := campaign.Options{
		Product: p, Risks: a.risks, Incidents: checks.Incident, Kinds: a.kinds, Version: Version, Only: f.only, Seed: f.seed,
		Repeat: f.repeat, Parallel: cmp.Or(f.jobs, 160),
	}
	plan, err := campaign.Plan(o, a.Now())
	if err != nil {
		return usage(err)
	}
	defects := planted(f.defects)
	w := a.watchMatrix(ctx, cells(plan, defects), campaign.PaceOf(o))
	m, err := campaign.Selftest(ctx, o, defects, f.repeat, dir, w)
	w.close()
	if errors.Is(err, context.Canceled) {
		return &exitError{exitInterrupted, errors.New("interrupted")}
	}
	if err != nil {
		return failed(err)
	}
	if f.format == "json" {
		err = printJSON(a.Stdout, m)
	} else {
		err = written(io.WriteString(a.Stdout, matrixText(m)))
	}
	if err == nil && !m.Holds() {
		err = &exitError{exitNotReady, errors.New("the planted-defect matrix does not hold")}
	}
	return err
}

// cells is how many jobs a matrix has at least.
func cells(plan evidence.Plan, defects []campaign.Planted) int {
	n := 0
	chosen := map[string]bool{}
	for _, j := range plan.Jobs {
		chosen[j.Check] = true
		if j.Outcome == "" {
			n++
		}
	}
	for _, d := range defects {
		for _, id := range d.FoundBy {
			if chosen[id] {
				n++
			}
		}
	}
	return n
}

// planted are the reference product's defects, or those of them that are named.
func planted(ids []string) []campaign.Planted {
	var all []campaign.Planted
	for _, d := range reference.Defects() {
		if len(ids) == 0 || slices.Contains(ids, d.ID) {
			all = append(all, campaign.Planted{ID: d.ID, What: d.What, FoundBy: d.FoundBy})
		}
	}
	return all
}
