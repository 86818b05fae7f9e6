package cli

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/campaign"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference"
)

// runFlags are the flags of run; plan takes some of them.
type runFlags struct {
	only, skip, risk []string
	seed             uint64
	repeat, jobs     int
	timeout          time.Duration
	out, format      string
	resume           string
	defects          []string
	keepSecrets      bool
	schedule         string
	shrink           int
	profiles         []string
}

// selectionFlags are those that run and plan share.
func (a *app) selectionFlags(c *cobra.Command, f *runFlags) {
	fl := c.Flags()
	fl.StringSliceVar(&f.only, "only", nil, "only these `checks`: ids, or their beginnings such as fault.reconnect")
	fl.StringSliceVar(&f.skip, "skip", nil, "not these `checks`: ids, or their beginnings")
	fl.StringSliceVar(&f.risk, "risk", nil, "only the checks of these `risks`")
	fl.Uint64Var(&f.seed, "seed", 0, "`number` that all chance comes from (default: a new one, which is printed)")
	fl.IntVar(&f.repeat, "repeat", 1, "run every check so many `times`")
	fl.IntVar(&f.jobs, "jobs", 0, "`number` of checks at once (default: 64 for the reference product, 8 a core for processes)")
	fl.DurationVar(&f.timeout, "timeout", 0, "limit for each check, in `time` of the device (default: each check's own)")
	fl.StringSliceVar(&f.profiles, "profile", nil, "live the device's daily life in these network `profiles`, or in all; see docs/profiles.md")
	complete(c, "profile", append(profile.Names(), "all"))
	fl.StringVar(&f.schedule, "schedule", "", "network `faults` for the checks that draw some, such as \"10s+5s outage; 20s+30s loss 20%\"")
	fl.IntVar(&f.shrink, "shrink", 12, "`replays` in which a check may look for the smallest schedule of faults that still fails")
	fl.StringSliceVar(&f.defects, "defect", nil, "plant these `defects`; for the reference product only")
	complete(c, "only", a.checkIDs())
	complete(c, "skip", a.checkIDs())
	complete(c, "risk", a.riskIDs())
	complete(c, "defect", defectIDs())
}

// options translates flags for a product that was read from file.
func (a *app) options(p *product.Product, file string, f runFlags) (campaign.Options, error) {
	if f.repeat < 1 || f.jobs < 0 || f.timeout < 0 || f.shrink < 0 {
		return campaign.Options{}, usage(errors.New("--repeat must be 1 or more; --jobs, --timeout and --shrink cannot be negative"))
	}
	if err := plantable(p, f.defects); err != nil {
		return campaign.Options{}, err
	}
	if err := f.inProfiles(); err != nil {
		return campaign.Options{}, err
	}
	var faults schedule.Schedule
	if f.schedule != "" {
		var err error
		if faults, err = schedule.Parse(f.schedule); err != nil {
			return campaign.Options{}, usage(fmt.Errorf("--schedule: %w\nhint: write faults as in \"10s+5s outage; 20s+30s loss 20%%; 25s forget\"", err))
		}
	}
	if f.seed == 0 {
		f.seed = rand.Uint64() >> 1
	}
	return campaign.Options{
		Product: p, File: file, Command: strings.TrimSpace("shakedown run " + file), Risks: a.risks, Incidents: checks.Incident, Kinds: a.kinds, Version: Version,
		Only: f.only, Skip: f.skip, Risk: f.risk, Seed: f.seed, Repeat: f.repeat, Timeout: f.timeout,
		Parallel: parallel(p, f.jobs, runtime.NumCPU()), Defects: f.defects, KeepSecrets: f.keepSecrets, Confirm: true,
		Schedule: faults, Shrink: f.shrink, Profiles: f.profiles,
	}, nil
}

// dailyLife is the check that --profile is for.
const dailyLife = "environment.daily-life"

// inProfiles makes "all" of --profile every profile there is, and narrows the run to the check that they are for, unless the user
// selected others.
func (f *runFlags) inProfiles() error {
	if len(f.profiles) == 0 {
		return nil
	}
	if slices.Contains(f.profiles, "all") {
		f.profiles = profile.Names()
	}
	for _, name := range f.profiles {
		if _, err := profile.Named(name); err != nil {
			return usage(err)
		}
	}
	if len(f.only)+len(f.risk) == 0 {
		f.only = []string{dailyLife}
	}
	return nil
}

// parallel is how many jobs run at once: as many as the user wants, or as many as suits the driver. In-process devices mostly wait,
// processes cost more, and behind a control program there may be a single real thing.
func parallel(p *product.Product, jobs, cores int) int {
	if jobs > 0 {
		return jobs
	}
	n := 64
	for _, part := range p.Real() {
		switch part.Driver {
		case "reference":
		case "process":
			n = min(n, max(4, 8*cores))
		case "exec":
			n = 1
		case "external":
			n = min(n, 4)
			if part.Role == product.Cloud { // one cloud, and fleets with the same identities would push each other out
				n = 1
			}
		default:
			n = min(n, 4)
		}
	}
	return n
}

// plantable says whether these defects can be planted in the product.
func plantable(p *product.Product, defects []string) error {
	for _, id := range defects {
		if !slices.Contains(defectIDs(), id) {
			return usage(fmt.Errorf("no defect is called %q\nhint: %s", id, product.DidYouMean(id, defectIDs())))
		}
	}
	bundled := slices.ContainsFunc(p.Parts, func(part product.Part) bool { return part.Driver == "reference" })
	if len(defects) > 0 && !bundled {
		return usage(fmt.Errorf("defects can be planted in the reference product only, and %q is real\nhint: leave --defect out", p.Name))
	}
	return nil
}

func defectIDs() []string {
	var ids []string
	for _, d := range reference.Defects() {
		ids = append(ids, d.ID)
	}
	return ids
}
