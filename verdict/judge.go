package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// Judge decides by the rules above. Today is the day on which accepted deviations must still hold.
func Judge(plan evidence.Plan, results []evidence.Result, today time.Time) Verdict {
	cases := Cases(plan, Apply(plan, results, today))
	blockers, named := weigh(cases)
	gaps, open := unknowns(plan, cases)
	v := Verdict{Risks: risks(plan, cases)}
	named = slices.Concat(named, leftOut(v.Risks), played(plan.StandIns), open)
	switch {
	case len(blockers) > 0:
		v.Readiness, v.Because, v.Named = NotReady, blockers, append(gaps, named...)
	case len(gaps) > 0:
		v.Readiness, v.Because, v.Named = NotEnough, gaps, named
	case len(named) > 0:
		v.Readiness, v.Because, v.Named = ReadyWithRisks, []string{withRisks}, named
	default:
		v.Readiness, v.Because = Ready, []string{clean(cases)}
	}
	return v
}

// weigh gives a sentence to each check with blockers that users have, and to each risk that its other findings are.
func weigh(cases []Case) (blockers, named []string) {
	var block, major, unused, accepted grouped
	for _, c := range cases {
		for _, f := range c.Findings {
			switch {
			case f.Accepted != "":
				accepted.add(c, f)
			case Rank(f.Severity) == 0 && c.Users:
				block.add(c, f)
			case Rank(f.Severity) == 0:
				unused.add(c, f)
			case f.Severity == evidence.Major:
				major.add(c, f)
			}
		}
	}
	block.byReach()
	major.byReach()
	for _, g := range block {
		blockers = append(blockers, g.say("a blocker"+g.reach()))
	}
	for _, g := range major {
		named = append(named, g.say("major"+g.reach()))
	}
	for _, g := range unused {
		named = append(named, g.say("a blocker on "+g.names()+", which no user has"))
	}
	for _, g := range accepted {
		named = append(named, g.say("accepted"+g.reach()+": "+g.finding.Accepted))
	}
	return blockers, named
}

// unknowns gives a sentence to each gap that leaves the verdict open, and to each one that it can live with.
func unknowns(plan evidence.Plan, cases []Case) (gaps, open []string) {
	settled := map[string]bool{} // risks of which all is said
	var bare []string            // risks that no check is about
	for _, r := range plan.Risks {
		of := ofRisk(cases, r.ID)
		if r.Excluded != "" {
			settled[r.ID] = true
		} else if !slices.ContainsFunc(of, func(c Case) bool { return c.Decided }) {
			settled[r.ID] = true
			if len(of) == 0 {
				bare = append(bare, r.Title+" ("+r.ID+")")
				continue
			}
			gaps = append(gaps, silent(r, of))
		}
	}
	if len(bare) > 0 {
		gaps = append(gaps, unchecked(bare))
	}
	narrowed := map[string]bool{} // risks of which several guards were left out together
	for _, r := range plan.Risks {
		if n := unplannedGuards(cases, r.ID); n > 1 && !settled[r.ID] {
			narrowed[r.ID] = true
			gaps = append(gaps, fmt.Sprintf("%s (%s): this run did not plan %d checks that guard against blockers.", r.Title, r.ID, n))
		}
	}
	var guards, others grouped
	for _, c := range cases {
		switch {
		case !c.Undone || settled[c.Check.Risk] || narrowed[c.Check.Risk] && c.Reason == notPlanned && Rank(c.Check.Severity) == 0:
		case Rank(c.Check.Severity) == 0:
			guards.add(c, evidence.Finding{Title: c.Reason})
		default:
			others.add(c, evidence.Finding{Title: c.Reason})
		}
	}
	for _, g := range guards {
		gaps = append(gaps, g.unknown("guards against blockers and could not be run"))
	}
	for _, g := range others {
		open = append(open, g.unknown("could not be run"))
	}
	return gaps, open
}

// notPlanned is the reason of a check that a narrowed run left out.
const notPlanned = "this run did not plan it"

// unplannedGuards counts the checks of a risk that guard against blockers and were left out.
func unplannedGuards(cases []Case, risk string) int {
	left := map[string]bool{}
	for _, c := range ofRisk(cases, risk) {
		if c.Undone && c.Reason == notPlanned && Rank(c.Check.Severity) == 0 {
			left[c.Check.ID] = true
		}
	}
	return len(left)
}

// risks says what is known of each risk of the plan.
func risks(plan evidence.Plan, cases []Case) []Risk {
	var out []Risk
	for _, info := range plan.Risks {
		r := Risk{ID: info.ID, Title: info.Title, Excluded: info.Excluded}
		of := ofRisk(cases, info.ID)
		r.Decided = decided(of)
		for _, c := range of {
			if c.Outcome != evidence.NotApplicable {
				r.Checks++
			}
			for _, f := range c.Findings {
				if f.Accepted != "" {
					continue
				}
				if r.Findings++; r.Worst == "" || Rank(f.Severity) < Rank(r.Worst) {
					r.Worst = f.Severity
				}
			}
		}
		r.State = state(r)
		out = append(out, r)
	}
	return out
}

func state(r Risk) State {
	switch {
	case r.Findings > 0:
		return Findings
	case r.Decided == 0:
		return NotAssessed
	case r.Excluded != "":
		return Excluded
	case r.Decided < r.Checks:
		return Partly
	}
	return Clear
}

func ofRisk(cases []Case, risk string) []Case {
	var out []Case
	for _, c := range cases {
		if c.Check.Risk == risk {
			out = append(out, c)
		}
	}
	return out
}

// decided counts the cases that passed or failed.
func decided(cases []Case) int {
	n := 0
	for _, c := range cases {
		if c.Outcome == evidence.Pass || c.Outcome == evidence.Fail {
			n++
		}
	}
	return n
}
