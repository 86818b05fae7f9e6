// Package verdict turns outcomes, severities, shares of users and coverage into one word about the launch. It is pure: the same
// plan and results give the same verdict on any day, but for accepted deviations, which expire.
//
// The rules, of which the first that holds decides:
//
//	rule  what holds                                                          verdict
//	a     a blocker counts on a variant that users have                       not ready
//	b     a risk in scope has no decided job, or a job of a check that
//	      guards against blockers could not be run                            not enough evidence
//	c     a major finding counts; a blocker counts on a variant without
//	      users; a finding is accepted; a risk is excluded; another job
//	      could not be run                                                    ready with named risks, each of them named
//	d     none of these                                                       ready
//
// A finding counts unless an accepted deviation for its check, and its variant where one is named, is in force. A deviation is in
// force before its day, not on it. A finding counts also in an excluded risk: what was seen is not unseen.
//
// What is unknown is never taken for the better: a job that never ended, or was never planned, could not be run; a failed job without
// a finding is a finding of its check's severity; a severity that nobody knows is a blocker; a variant that the plan does not list
// has users, as has every variant of a plan that gives no shares.
//
// The outcome of a check on a variant is the worst over its repetitions: fail, not-run, pass, not-applicable.
package verdict

import "github.com/shakedown-test/shakedown/evidence"

// Readiness is the launch verdict.
type Readiness string

// The four verdicts, and no others.
const (
	Ready          Readiness = "ready"
	ReadyWithRisks Readiness = "ready with named risks"
	NotReady       Readiness = "not ready"
	NotEnough      Readiness = "not enough evidence"
)

// Verdict is the readiness and why.
type Verdict struct {
	Readiness Readiness `json:"readiness"`
	Because   []string  `json:"because"`         // the reasons that decided, worst first, each one sentence
	Named     []string  `json:"named,omitempty"` // the risks that are taken by launching, each one sentence
	Risks     []Risk    `json:"risks"`           // all twelve, in the plan's order
}

// Risk is what is known about one risk.
type Risk struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	State    State             `json:"state"`
	Excluded string            `json:"excluded,omitempty"` // the reason
	Checks   int               `json:"checks"`             // that exist and apply, times variants
	Decided  int               `json:"decided"`            // of these, those that passed or failed
	Worst    evidence.Severity `json:"worst,omitempty"`    // of the findings that count
	Findings int               `json:"findings"`           // that count: not accepted
}

// Coverage is the share of the applicable jobs that were decided, 0..1; 0 where there are none.
func (r Risk) Coverage() float64 {
	if r.Checks == 0 {
		return 0
	}
	return float64(r.Decided) / float64(r.Checks)
}

// State is what can be said of a risk.
type State string

// The states of a risk.
const (
	Clear       State = "clear"           // every applicable check passed
	Findings    State = "findings"        // at least one finding counts
	Partly      State = "partly assessed" // nothing found, but some checks could not run
	NotAssessed State = "not assessed"    // no check was decided
	Excluded    State = "excluded"        // decided in part or whole without findings, and left out by the product file
)
