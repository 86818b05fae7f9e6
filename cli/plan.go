package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/evidence"
)

func (a *app) planCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "plan [PRODUCT.yaml]",
		Short: "Say what a run would do, for how long, and what it could not do",
		Long: `Says what shakedown run would do with the same flags: which checks of each
risk, for how long, what cannot run and what would make it run, which share of
each risk stays uncovered, and the best verdict that such a run can reach.
Nothing is started.`,
		Example: `  shakedown plan product.yaml
  shakedown plan product.yaml --risk fault --jobs 1`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error { return a.plan(optional(args), f) },
	}
	a.selectionFlags(c, &f)
	formats(c, &f.format, "json")
	return c
}

func (a *app) plan(file string, f runFlags) error {
	p, _, err := a.load(file)
	if err != nil {
		return err
	}
	o, err := a.options(p, file, f)
	if err != nil {
		return err
	}
	plan, err := campaign.Plan(o, a.Now())
	if err != nil {
		return usage(err)
	}
	forecast := campaign.Foresee(o, plan, a.Now())
	if f.format == "json" {
		return printJSON(a.Stdout, struct {
			evidence.Plan
			Forecast campaign.Forecast `json:"forecast"`
		}{plan, forecast})
	}
	return written(io.WriteString(a.Stdout, planText(plan, forecast)))
}

// planText is a plan for people.
func planText(plan evidence.Plan, f campaign.Forecast) string {
	var b strings.Builder
	wrap(&b, "", fmt.Sprintf("%s: %s on %s, about %s with %s at once.", plan.Product, count(f.CanRun, "job"),
		count(len(plan.Variants), "variant"), span(f.Seconds), count(f.Parallel, "job")))
	fmt.Fprintln(&b)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RISK\tCHECKS\tJOBS\tTIME\tNOT COVERED")
	for _, r := range f.Risks {
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\n", plain(r.Title), len(r.Checks), r.Jobs, span(r.Seconds), uncovered(plan, r))
	}
	table.Flush()
	if len(f.Gaps) > 0 {
		fmt.Fprintln(&b, "\nCANNOT RUN")
	}
	for _, g := range f.Gaps {
		what := ""
		if g.Outcome == evidence.NotApplicable {
			what = " (does not apply)"
		}
		fmt.Fprintln(&b)
		wrap(&b, "  ", fmt.Sprintf("%s%s, %s:", upperFirst(g.Reason), what, count(g.Jobs, "job")))
		wrap(&b, "    ", strings.Join(g.Checks, ", "))
		if g.Hint != "" {
			wrap(&b, "    hint: ", g.Hint)
		}
	}
	if len(plan.Undeclared) > 0 {
		fmt.Fprintln(&b, "\nNOT DECLARED")
		fmt.Fprintln(&b)
		wrap(&b, "  ", strings.Join(plan.Undeclared, ", "))
	}
	fmt.Fprintln(&b)
	wrap(&b, "", "If nothing is found, the verdict will be: "+strings.ToUpper(string(f.Best)))
	for _, reason := range f.Because {
		wrap(&b, "  - ", reason)
	}
	return b.String()
}

// uncovered says how much of a risk stays unknown, and why where it is all.
func uncovered(plan evidence.Plan, r campaign.RiskForecast) string {
	has := slices.ContainsFunc(plan.Checks, func(c evidence.CheckInfo) bool { return c.Risk == r.ID })
	share := fmt.Sprintf("%.0f %%", 100*r.Uncovered)
	switch {
	case r.Excluded != "":
		return share + ", excluded"
	case !has:
		return share + ", no checks yet"
	}
	return share
}

func span(seconds float64) string {
	if seconds == 0 {
		return "-"
	}
	return roughly(time.Duration(seconds * float64(time.Second)))
}
