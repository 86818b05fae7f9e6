// Package campaign plans which checks can run on a product and why the others cannot, and runs them.
package campaign

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// Options is what a campaign is made of.
type Options struct {
	Product   *product.Product
	File      string // of the product, for the report; empty for the bundled one
	Command   string // that begins such a campaign: "shakedown run product.yaml"
	Risks     []check.Risk
	Incidents func(id string) (evidence.Incident, bool)
	Kinds     driver.Kinds
	Version   string // of Shakedown

	Only, Skip, Risk []string // check ids, or their beginnings up to a dot; risk ids
	Seed             uint64
	Repeat           int           // of every job; 0 means 1
	Timeout          time.Duration // device time for each check; 0: the check's own limit
	Parallel         int           // jobs at once
	Defects          []string      // planted in the reference product
	KeepSecrets      bool
	Shrink           int               // replays in which a check may look for the smallest schedule of faults that still fails
	Profiles         []string          // network profiles for the check of daily life, instead of those that the product file names
	Schedule         schedule.Schedule // of network faults, instead of those that checks draw; nil: they draw
	Play             testbed.Player    // plays fleets; nil: this process does
	Confirm          bool              // repeat failures that were seen while the machine lagged, after all others
}

// Plan says what would run. It fails when a selection names nothing.
func Plan(o Options, now time.Time) (evidence.Plan, error) {
	p := evidence.Plan{
		Product: o.Product.Name, File: o.File, Command: o.Command, Version: o.Version, Seed: o.Seed, Created: now, Selection: selection(o),
		Timeout: o.Timeout.Seconds(), Defects: o.Defects, KeepSecrets: o.KeepSecrets, Schedule: o.Schedule.String(), Profiles: o.Profiles,
	}
	for _, part := range o.Product.Parts {
		if !part.Real() {
			p.StandIns = append(p.StandIns, part.Name)
		}
	}
	excluded := map[string]string{}
	for _, x := range o.Product.Exclude {
		excluded[x.Risk] = x.Reason
	}
	for _, v := range o.Product.Variants {
		p.Variants = append(p.Variants, evidence.VariantInfo{Name: v.Name, Hardware: v.Hardware, Firmware: v.Firmware, Share: v.Share})
	}
	for _, s := range o.Product.States {
		p.States = append(p.States, evidence.Statement(s))
	}
	for _, d := range o.Product.Accepted {
		p.Accepted = append(p.Accepted, evidence.Acceptance{Check: d.Check, Variant: d.Variant, Reason: d.Reason, Until: d.Until.Time})
	}
	if err := known(o); err != nil {
		return p, err
	}
	undeclared := map[string]bool{}
	for _, r := range o.Risks {
		p.Risks = append(p.Risks, evidence.RiskInfo{ID: r.ID, Title: r.Title, Excluded: excluded[r.ID]})
		for _, c := range r.Checks {
			p.Checks = append(p.Checks, Info(c, o.Incidents))
			if !selected(o, c.ID) {
				continue
			}
			for _, v := range o.Product.Variants {
				for n := range max(1, o.Repeat) {
					job := evidence.Job{Check: c.ID, Variant: v.Name, Repeat: n}
					var missing []string
					job.Outcome, job.Reason, job.Hint, missing = meet(o, c)
					for _, key := range missing {
						undeclared[key] = true
					}
					p.Jobs = append(p.Jobs, job)
				}
			}
		}
	}
	for key := range undeclared {
		p.Undeclared = append(p.Undeclared, key)
	}
	sort.Strings(p.Undeclared)
	return p, nil
}

// Info is a check's metadata as data.
func Info(c *check.Check, incidents func(string) (evidence.Incident, bool)) evidence.CheckInfo {
	info := evidence.CheckInfo{
		ID: c.ID, Title: c.Title, Risk: c.Risk(), Severity: c.Severity, Why: c.Why, Pass: c.Pass, Fix: c.Fix,
		Requirements: append([]string{}, c.Requirements...), Sources: append([]string{}, c.Sources...), Incidents: []evidence.Incident{},
		Needs: c.Needs.Words(), Impact: string(c.Impact), Typical: c.Typical.Seconds(),
	}
	for _, id := range c.Incidents {
		if in, ok := incidents(id); ok {
			info.Incidents = append(info.Incidents, in)
		}
	}
	return info
}

// selected reports whether --only, --skip and --risk leave the check in.
func selected(o Options, id string) bool {
	risk, _, _ := strings.Cut(id, ".")
	if len(o.Risk) > 0 && !slices.Contains(o.Risk, risk) {
		return false
	}
	if len(o.Only) > 0 && !slices.ContainsFunc(o.Only, func(s string) bool { return names(s, id) }) {
		return false
	}
	return !slices.ContainsFunc(o.Skip, func(s string) bool { return names(s, id) })
}

// names reports whether a selector means a check: its id, or the beginning of it up to a dot or hyphen.
func names(selector, id string) bool {
	rest, ok := strings.CutPrefix(id, selector)
	return ok && (rest == "" || strings.HasSuffix(selector, ".") || rest[0] == '.' || rest[0] == '-')
}

// known fails on a selector that means no check.
func known(o Options) error {
	var ids, risks []string
	for _, r := range o.Risks {
		risks = append(risks, r.ID)
		for _, c := range r.Checks {
			ids = append(ids, c.ID)
		}
	}
	for _, s := range slices.Concat(o.Only, o.Skip) {
		if !slices.ContainsFunc(ids, func(id string) bool { return names(s, id) }) {
			return fmt.Errorf("select checks: no check is called %q\nhint: %s", s, product.DidYouMean(s, ids))
		}
	}
	for _, s := range o.Risk {
		if !slices.Contains(risks, s) {
			return fmt.Errorf("select risks: no risk is called %q\nhint: %s", s, product.DidYouMean(s, risks))
		}
	}
	return nil
}

func selection(o Options) string {
	var words []string
	for flag, values := range map[string][]string{"--only": o.Only, "--skip": o.Skip, "--risk": o.Risk} {
		for _, v := range values {
			words = append(words, flag+" "+v)
		}
	}
	sort.Strings(words)
	return strings.Join(words, " ")
}
