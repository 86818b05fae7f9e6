package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// described is a check for programs.
type described struct {
	evidence.CheckInfo
	Limit float64  `json:"limit_seconds"` // device time
	Rows  []string `json:"rows"`          // of the catalogue
}

func (a *app) checksCommand() *cobra.Command {
	var risks []string
	var format string
	c := &cobra.Command{
		Use:   "checks [ID]",
		Short: "List the checks, or explain one",
		Example: `  shakedown checks --risk fault
  shakedown checks protocol.connect-happy`,
		Args: arguments(0, 1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return a.checkIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.explain(args[0], format)
			}
			return a.list(risks, format)
		},
	}
	c.Flags().StringSliceVar(&risks, "risk", nil, "only the checks of these `risks`")
	complete(c, "risk", a.riskIDs())
	formats(c, &format, "json")
	return c
}

func (a *app) list(only []string, format string) error {
	for _, id := range only {
		if !slices.Contains(a.riskIDs(), id) {
			return usage(fmt.Errorf("no risk is called %q\nhint: %s", id, product.DidYouMean(id, a.riskIDs())))
		}
	}
	all := []described{}
	var b strings.Builder
	for _, r := range a.risks {
		if len(only) > 0 && !slices.Contains(only, r.ID) {
			continue
		}
		fmt.Fprintf(&b, "%s (%s)\n", r.Title, r.ID)
		if len(r.Checks) == 0 {
			fmt.Fprintln(&b, "  no checks yet")
		}
		for _, c := range r.Checks {
			fmt.Fprintf(&b, "  %-8s %s\n           %s\n", c.Severity, c.ID, c.Title)
			all = append(all, describe(c))
		}
		fmt.Fprintln(&b)
	}
	if format == "json" {
		return printJSON(a.Stdout, all)
	}
	return written(fmt.Fprintf(a.Stdout, "%s%s. shakedown checks ID explains one.\n", b.String(), count(len(all), "check")))
}

func describe(c *check.Check) described {
	return described{
		CheckInfo: campaign.Info(c, checks.Incident), Limit: c.Limit.Seconds(), Rows: append([]string{}, c.Rows...),
	}
}

func (a *app) explain(id, format string) error {
	for _, r := range a.risks {
		for _, c := range r.Checks {
			switch {
			case c.ID != id:
			case format == "json":
				return printJSON(a.Stdout, describe(c))
			default:
				return written(io.WriteString(a.Stdout, explanation(r, c)))
			}
		}
	}
	return usage(fmt.Errorf("no check is called %q\nhint: %s\nhint: shakedown checks lists them", id, product.DidYouMean(id, a.checkIDs())))
}

// explanation is a check for people.
func explanation(r check.Risk, c *check.Check) string {
	var b strings.Builder
	info := describe(c)
	wrap(&b, "", c.Title)
	wrap(&b, "", fmt.Sprintf("%s, %s, of the risk %q", c.ID, c.Severity, r.Title))
	section := func(title string, lines ...string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, line := range lines {
			wrap(&b, "  ", line)
		}
	}
	section("Why", c.Why)
	section("Criterion", c.Pass)
	section("First thing to try", c.Fix)
	section("Needs", strings.Join(info.Needs, "; "), fmt.Sprintf("%s of device time, at most %s; it %s.", roughly(c.Typical), roughly(c.Limit), effect(c.Impact)))
	section("Gives evidence for", c.Requirements...)
	var seen []string
	for _, i := range info.Incidents {
		seen = append(seen, fmt.Sprintf("%s, %s: %s (%s)", i.ID, i.Product, i.Broke, i.Source))
	}
	section("Seen in the field", seen...)
	section("Sources of the criterion", c.Sources...)
	section("Run it alone", "shakedown run --only "+c.ID)
	return b.String()
}

func effect(i check.Impact) string {
	switch i {
	case check.Observes:
		return "looks on"
	case check.Disturbs:
		return "disturbs the world around the part"
	}
	return "restarts the part"
}
