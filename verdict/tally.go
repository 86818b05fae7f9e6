package verdict

import (
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// Case is one check on one variant, over all its repetitions.
type Case struct {
	Check    evidence.CheckInfo
	Variant  string
	Share    float64          // of users, 0..1
	Users    bool             // whether anyone has the variant, as far as is known
	Outcome  evidence.Outcome // the worst
	Decided  bool             // whether any repetition passed or failed
	Undone   bool             // whether any repetition could not be run, so that something is not known
	Reason   string           // of the outcome, when it is not-applicable or not-run
	Hint     string           // what would make it run
	Findings []evidence.Finding
	Results  []evidence.Result // one per repetition; none when it never ran
}

// Rank orders severities, 0 being the worst. One that nobody knows is as bad as the worst.
func Rank(s evidence.Severity) int {
	return max(0, slices.Index([]evidence.Severity{evidence.Blocker, evidence.Major, evidence.Minor, evidence.Info}, s))
}

// outcomes, worst first.
var outcomes = []evidence.Outcome{evidence.Fail, evidence.NotRun, evidence.Pass, evidence.NotApplicable}

// Apply returns the results with Finding.Accepted set to the reason of the deviation that covers the finding on the day today, and
// empty where none is in force.
func Apply(plan evidence.Plan, results []evidence.Result, today time.Time) []evidence.Result {
	out := slices.Clone(results)
	for i := range out {
		reason := ""
		for _, a := range plan.Accepted {
			if a.Check == out[i].Check && (a.Variant == "" || a.Variant == out[i].Variant) && today.Before(a.Until) {
				reason = a.Reason
				if reason == "" {
					reason = "no reason given"
				}
				break
			}
		}
		out[i].Findings = slices.Clone(out[i].Findings)
		for j := range out[i].Findings {
			out[i].Findings[j].Accepted = reason
		}
	}
	return out
}

// Cases joins plan and results to one case per check and variant: in the plan's order of jobs, then what the plan lacks. Accepted
// findings are taken from the results as they stand; see Apply.
func Cases(plan evidence.Plan, results []evidence.Result) []Case {
	t := tally{plan: plan, at: map[[2]string]int{}}
	for _, r := range results {
		t.ended(r)
	}
	for _, j := range plan.Jobs {
		t.planned(j, results)
	}
	excluded := map[string]bool{}
	for _, r := range plan.Risks {
		excluded[r.ID] = r.Excluded != ""
	}
	for _, c := range plan.Checks {
		for _, v := range plan.Variants {
			if _, known := t.at[[2]string{c.ID, v.Name}]; !known && !excluded[c.Risk] {
				t.add(evidence.Result{Check: c.ID, Variant: v.Name, Outcome: evidence.NotRun, Reason: notPlanned, Hint: unplanned(plan)})
			}
		}
	}
	t.sort()
	return t.cases
}

func unplanned(plan evidence.Plan) string {
	if plan.Selection != "" {
		return "run without " + plan.Selection
	}
	return "run it with the other checks"
}

type tally struct {
	plan  evidence.Plan
	cases []Case
	at    map[[2]string]int // index in cases by check and variant
}

// ended takes in a result as it was recorded.
func (t *tally) ended(r evidence.Result) {
	if r.Outcome == evidence.Fail && len(r.Findings) == 0 {
		severity := t.check(r.Check).Severity
		r.Findings = []evidence.Finding{{Severity: severity, Title: "failed without saying how", Since: r.Started}}
	}
	if len(r.Findings) > 0 && r.Outcome == evidence.Pass {
		r.Outcome = evidence.Fail
	}
	if !slices.Contains(outcomes, r.Outcome) {
		r.Outcome, r.Reason = evidence.NotRun, "it ended without a known outcome"
	}
	c := t.add(r)
	c.Results = append(c.Results, r)
	c.Findings = append(c.Findings, r.Findings...)
}

// planned takes in a job that no result tells of.
func (t *tally) planned(j evidence.Job, results []evidence.Result) {
	done := slices.ContainsFunc(results, func(r evidence.Result) bool {
		return r.Check == j.Check && r.Variant == j.Variant && r.Repeat == j.Repeat
	})
	if done {
		return
	}
	r := evidence.Result{Check: j.Check, Variant: j.Variant, Outcome: j.Outcome, Reason: j.Reason, Hint: j.Hint}
	if r.Outcome != evidence.NotApplicable && r.Outcome != evidence.NotRun {
		r.Outcome, r.Reason, r.Hint = evidence.NotRun, "the run ended before it", "go on with --resume"
	}
	t.add(r)
}

// add finds or makes the case of r and worsens its outcome to that of r.
func (t *tally) add(r evidence.Result) *Case {
	key := [2]string{r.Check, r.Variant}
	i, ok := t.at[key]
	if !ok {
		share, users := t.users(r.Variant)
		i = len(t.cases)
		t.at[key] = i
		t.cases = append(t.cases, Case{Check: t.check(r.Check), Variant: r.Variant, Share: share, Users: users, Outcome: r.Outcome, Reason: r.Reason, Hint: r.Hint})
	}
	c := &t.cases[i]
	if slices.Index(outcomes, r.Outcome) < slices.Index(outcomes, c.Outcome) {
		c.Outcome, c.Reason, c.Hint = r.Outcome, r.Reason, r.Hint
	}
	c.Decided = c.Decided || r.Outcome == evidence.Pass || r.Outcome == evidence.Fail
	c.Undone = c.Undone || r.Outcome == evidence.NotRun
	return c
}

// check is the metadata of a check; of one that the plan does not list, what can be said without.
func (t *tally) check(id string) evidence.CheckInfo {
	for _, c := range t.plan.Checks {
		if c.ID == id {
			return c
		}
	}
	risk, _, _ := strings.Cut(id, ".")
	return evidence.CheckInfo{ID: id, Title: id, Risk: risk, Severity: evidence.Blocker}
}

// users is the share of users that have a variant, and whether any may have it.
func (t *tally) users(variant string) (float64, bool) {
	total, share, known := 0.0, 0.0, false
	for _, v := range t.plan.Variants {
		total += v.Share
		if v.Name == variant {
			share, known = v.Share, true
		}
	}
	return share, share > 0 || !known || total == 0
}

// sort puts the cases into the order of the plan's checks, then of its variants, so that nothing depends on who ended first.
func (t *tally) sort() {
	place := map[string]int{}
	for i, c := range t.plan.Checks {
		place["c "+c.ID] = i + 1
	}
	for i, v := range t.plan.Variants {
		place["v "+v.Name] = i + 1
	}
	slices.SortStableFunc(t.cases, func(a, b Case) int {
		if d := place["c "+a.Check.ID] - place["c "+b.Check.ID]; d != 0 {
			return d
		}
		return place["v "+a.Variant] - place["v "+b.Variant]
	})
}
