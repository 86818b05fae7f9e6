package campaign

import (
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// Forecast is what a plan amounts to before anything has run.
type Forecast struct {
	Parallel int               `json:"jobs_at_once"`
	CanRun   int               `json:"can_run"` // jobs
	Seconds  float64           `json:"seconds"` // wall time that they should take
	Best     verdict.Readiness `json:"best"`    // the verdict if nothing is found
	Because  []string          `json:"because"` // what decides that verdict
	Risks    []RiskForecast    `json:"by_risk"` // all twelve
	Gaps     []Gap             `json:"cannot_run"`
}

// RiskForecast is what a plan does about one risk.
type RiskForecast struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Excluded  string   `json:"excluded,omitempty"` // the reason
	Checks    []string `json:"checks"`             // ids of those that can run
	Jobs      int      `json:"can_run"`            // their jobs
	Seconds   float64  `json:"seconds"`            // wall time of these jobs alone
	Uncovered float64  `json:"uncovered"`          // share of the checks that apply, times variants, of which nothing will be known, 0..1
}

// Gap is a reason for which jobs cannot run.
type Gap struct {
	Outcome evidence.Outcome `json:"outcome"`
	Reason  string           `json:"reason"`
	Hint    string           `json:"hint,omitempty"` // what would make them run
	Checks  []string         `json:"checks"`
	Jobs    int              `json:"jobs"`
}

// Foresee works out what plan, made of o, amounts to. Today is the day of the verdict.
func Foresee(o Options, plan evidence.Plan, today time.Time) Forecast {
	pace := PaceOf(o)
	var passed []evidence.Result
	all, byRisk, byCheck := map[evidence.Job]time.Duration{}, map[string]map[evidence.Job]time.Duration{}, map[string]string{}
	for _, c := range plan.Checks {
		byCheck[c.ID] = c.Risk
	}
	f := Forecast{Parallel: pace.parallel, Gaps: gaps(plan.Jobs)}
	ids := map[string][]string{}
	for _, j := range plan.Jobs {
		if j.Outcome != "" {
			continue
		}
		risk := byCheck[j.Check]
		if byRisk[risk] == nil {
			byRisk[risk] = map[evidence.Job]time.Duration{}
		}
		all[j], byRisk[risk][j] = pace.Typical(j.Check), pace.Typical(j.Check)
		passed = append(passed, evidence.Result{Check: j.Check, Variant: j.Variant, Repeat: j.Repeat, Outcome: evidence.Pass})
		if !slices.Contains(ids[risk], j.Check) {
			ids[risk] = append(ids[risk], j.Check)
		}
	}
	f.CanRun, f.Seconds = len(all), pace.Wall(all).Seconds()
	best := verdict.Judge(plan, passed, today)
	f.Best, f.Because = best.Readiness, best.Because
	for _, r := range best.Risks {
		f.Risks = append(f.Risks, RiskForecast{
			ID: r.ID, Title: r.Title, Excluded: r.Excluded, Checks: append([]string{}, ids[r.ID]...), Jobs: len(byRisk[r.ID]),
			Seconds: pace.Wall(byRisk[r.ID]).Seconds(), Uncovered: 1 - r.Coverage(),
		})
	}
	return f
}

// gaps groups the jobs that cannot run by their reason, those that could be made to run first.
func gaps(jobs []evidence.Job) []Gap {
	out := []Gap{}
	for _, j := range jobs {
		if j.Outcome == "" {
			continue
		}
		i := slices.IndexFunc(out, func(g Gap) bool { return g.Outcome == j.Outcome && g.Reason == j.Reason && g.Hint == j.Hint })
		if i < 0 {
			i = len(out)
			out = append(out, Gap{Outcome: j.Outcome, Reason: j.Reason, Hint: j.Hint})
		}
		out[i].Jobs++
		if !slices.Contains(out[i].Checks, j.Check) {
			out[i].Checks = append(out[i].Checks, j.Check)
		}
	}
	slices.SortStableFunc(out, func(a, b Gap) int {
		switch {
		case a.Outcome == b.Outcome:
			return 0
		case a.Outcome == evidence.NotRun:
			return -1
		}
		return 1
	})
	return out
}

// Pace is how fast jobs go here, as far as it is known beforehand.
type Pace struct {
	parallel int
	typical  map[string]time.Duration // by check, wall time
	serial   map[string]string        // by check: the part that runs one of its jobs at a time
}

// PaceOf is the pace of a campaign.
func PaceOf(o Options) Pace {
	p := Pace{parallel: max(1, o.Parallel), typical: map[string]time.Duration{}, serial: map[string]string{}}
	speed := o.Product.Declared.Speed
	if speed <= 0 {
		speed = 1
	}
	for _, r := range o.Risks {
		for _, c := range r.Checks {
			p.typical[c.ID] = time.Duration(float64(c.Typical) / speed)
			if part := o.Product.PartFor(c.Needs.Real, c.Needs.Speaks); part != nil && o.Kinds[part.Driver].Instances == 1 {
				p.serial[c.ID] = part.Name
			}
		}
	}
	return p
}

// Typical is the wall time that a job of the check should take.
func (p Pace) Typical(check string) time.Duration { return p.typical[check] }

// Wall is how long jobs, each of which still takes so long, will take together.
func (p Pace) Wall(left map[evidence.Job]time.Duration) time.Duration {
	var longest, total time.Duration
	alone := map[string]time.Duration{}
	for j, d := range left {
		if part := p.serial[j.Check]; part != "" {
			alone[part] += d
			longest = max(longest, alone[part])
			continue
		}
		total += d
		longest = max(longest, d)
	}
	return max(longest, total/time.Duration(max(1, p.parallel)))
}
