package verdict

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/evidence"
)

var today = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// lamp is a plan of two risks with one check that guards against blockers (a.hard) and one that does not (b.soft), on three variants
// of which nobody has the last.
func lamp() evidence.Plan {
	plan := evidence.Plan{
		Risks:    []evidence.RiskInfo{{ID: "a", Title: "Alpha"}, {ID: "b", Title: "Beta"}},
		Variants: []evidence.VariantInfo{{Name: "rev-a", Share: 0.7}, {Name: "rev-b", Share: 0.3}, {Name: "proto"}},
		Checks:   []evidence.CheckInfo{{ID: "a.hard", Risk: "a", Severity: evidence.Blocker}, {ID: "b.soft", Risk: "b", Severity: evidence.Major}},
	}
	for _, c := range plan.Checks {
		for _, v := range plan.Variants {
			plan.Jobs = append(plan.Jobs, evidence.Job{Check: c.ID, Variant: v.Name})
		}
	}
	return plan
}

// passes are results in which everything that was planned passed.
func passes(plan evidence.Plan) []evidence.Result {
	var out []evidence.Result
	for _, j := range plan.Jobs {
		out = append(out, evidence.Result{Check: j.Check, Variant: j.Variant, Repeat: j.Repeat, Outcome: evidence.Pass})
	}
	return out
}

func fail(r *evidence.Result, s evidence.Severity, title string) {
	r.Outcome = evidence.Fail
	r.Findings = append(r.Findings, evidence.Finding{Severity: s, Title: title})
}

func notRun(r *evidence.Result) {
	*r = evidence.Result{Check: r.Check, Variant: r.Variant, Repeat: r.Repeat, Outcome: evidence.NotRun, Reason: "no console"}
}

func TestJudge(t *testing.T) {
	accept := func(p *evidence.Plan, variant string, until time.Time) {
		p.Accepted = append(p.Accepted, evidence.Acceptance{Check: "a.hard", Variant: variant, Reason: "fixed in May", Until: until})
	}
	tests := []struct {
		name string
		set  func(p *evidence.Plan, r []evidence.Result)
		want Readiness
		says string // in the first sentence of because, or of named for ready with named risks
	}{
		{"all passed", func(p *evidence.Plan, r []evidence.Result) {}, Ready, "All 6 checks"},
		{"minor and info do not matter", func(p *evidence.Plan, r []evidence.Result) {
			fail(&r[0], evidence.Minor, "x")
			fail(&r[1], evidence.Info, "y")
		}, Ready, "2 findings are small"},

		{
			"a blocker", func(p *evidence.Plan, r []evidence.Result) { fail(&r[0], evidence.Blocker, "goes deaf") },
			NotReady, "a.hard: goes deaf; a blocker for 70 % of users (rev-a).",
		},
		{"a blocker of a soft check", func(p *evidence.Plan, r []evidence.Result) { fail(&r[3], evidence.Blocker, "x") }, NotReady, "b.soft"},
		{"a blocker on two variants is one sentence", func(p *evidence.Plan, r []evidence.Result) {
			fail(&r[0], evidence.Blocker, "goes deaf")
			fail(&r[1], evidence.Blocker, "goes deaf")
		}, NotReady, "100 % of users (rev-a and rev-b)"},
		{"a severity that nobody knows", func(p *evidence.Plan, r []evidence.Result) { fail(&r[0], "harmless", "x") }, NotReady, "a.hard"},
		{"failed without a finding", func(p *evidence.Plan, r []evidence.Result) { r[0].Outcome = evidence.Fail }, NotReady, "without saying how"},
		{"a finding of a job that says it passed", func(p *evidence.Plan, r []evidence.Result) {
			r[0].Findings = []evidence.Finding{{Severity: evidence.Blocker, Title: "x"}}
		}, NotReady, "a.hard"},
		{"a variant that is not in the plan", func(p *evidence.Plan, r []evidence.Result) {
			r[0].Variant = "rev-x"
			fail(&r[0], evidence.Blocker, "x")
		}, NotReady, "a blocker on rev-x"},
		{"no shares given", func(p *evidence.Plan, r []evidence.Result) {
			p.Variants = []evidence.VariantInfo{{Name: "rev-a"}, {Name: "rev-b"}, {Name: "proto"}}
			fail(&r[2], evidence.Blocker, "x")
		}, NotReady, "a blocker on proto"},
		{"a blocker beats what is unknown", func(p *evidence.Plan, r []evidence.Result) {
			fail(&r[0], evidence.Blocker, "x")
			notRun(&r[1])
		}, NotReady, "a.hard: x"},
		{"expired acceptance", func(p *evidence.Plan, r []evidence.Result) {
			fail(&r[0], evidence.Blocker, "x")
			accept(p, "", today)
		}, NotReady, "a.hard: x"},
		{"acceptance of another variant", func(p *evidence.Plan, r []evidence.Result) {
			fail(&r[0], evidence.Blocker, "x")
			accept(p, "rev-b", today.AddDate(0, 1, 0))
		}, NotReady, "a.hard: x"},
		{"a blocker in an excluded risk", func(p *evidence.Plan, r []evidence.Result) {
			p.Risks[0].Excluded = "not in this launch"
			fail(&r[0], evidence.Blocker, "x")
		}, NotReady, "a.hard: x"},

		{"a guard did not run", func(p *evidence.Plan, r []evidence.Result) { notRun(&r[0]) }, NotEnough, "a.hard guards against blockers and could not be run on rev-a: no console."},
		{"a guard did not run in one repetition", func(p *evidence.Plan, r []evidence.Result) {
			notRun(&r[0])
			r[0].Variant = "rev-b"
		}, NotEnough, "a.hard guards"},
		{"an outcome that nobody knows", func(p *evidence.Plan, r []evidence.Result) { r[0].Outcome = "fine" }, NotEnough, "known outcome"},
		{"a job that never ended", func(p *evidence.Plan, r []evidence.Result) { r[0].Check = "b.soft" }, NotEnough, "run ended before it"},
		{"a guard that was never planned", func(p *evidence.Plan, r []evidence.Result) {
			p.Checks = append(p.Checks, evidence.CheckInfo{ID: "a.more", Risk: "a", Severity: evidence.Blocker})
			p.Selection = "--only a.hard"
		}, NotEnough, "a.more guards against blockers and could not be run on rev-a, rev-b and proto"},
		{"a risk without a decided job", func(p *evidence.Plan, r []evidence.Result) {
			for i := 3; i < 6; i++ {
				notRun(&r[i])
			}
		}, NotEnough, "Beta (b) is not assessed: none of its 3 checks could be run: no console."},
		{"a risk that does not apply", func(p *evidence.Plan, r []evidence.Result) {
			for i := 3; i < 6; i++ {
				r[i].Outcome = evidence.NotApplicable
			}
		}, NotEnough, "exclude it with a reason if that is right"},
		{"a risk without checks", func(p *evidence.Plan, r []evidence.Result) {
			p.Risks = append(p.Risks, evidence.RiskInfo{ID: "c", Title: "Gamma"})
		}, NotEnough, "Gamma (c) is not assessed: this version has no checks"},

		{"a major finding", func(p *evidence.Plan, r []evidence.Result) { fail(&r[4], evidence.Major, "slow") }, ReadyWithRisks, "b.soft: slow; major for 30 % of users (rev-b)."},
		{"a blocker that no user has", func(p *evidence.Plan, r []evidence.Result) { fail(&r[2], evidence.Blocker, "x") }, ReadyWithRisks, "a blocker on proto, which no user has"},
		{"an accepted blocker", func(p *evidence.Plan, r []evidence.Result) {
			fail(&r[0], evidence.Blocker, "x")
			accept(p, "rev-a", today.AddDate(0, 0, 1))
		}, ReadyWithRisks, "accepted for 70 % of users (rev-a): fixed in May."},
		{"an excluded risk", func(p *evidence.Plan, r []evidence.Result) {
			p.Risks = append(p.Risks, evidence.RiskInfo{ID: "c", Title: "Gamma", Excluded: "no app"})
		}, ReadyWithRisks, "Gamma is left out of this decision: no app."},
		{"another check did not run", func(p *evidence.Plan, r []evidence.Result) { notRun(&r[4]) }, ReadyWithRisks, "b.soft could not be run on rev-b: no console."},
		{"an excluded risk is not a gap", func(p *evidence.Plan, r []evidence.Result) {
			p.Risks[0].Excluded = "lab only"
			notRun(&r[0])
		}, ReadyWithRisks, "Alpha is left out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan := lamp()
			results := passes(plan)
			tt.set(&plan, results)
			v := Judge(plan, results, today)
			first := append(slices.Clone(v.Because), "")[0]
			if tt.want == ReadyWithRisks {
				first = append(slices.Clone(v.Named), "")[0]
			}
			if v.Readiness != tt.want || !strings.Contains(first, tt.says) {
				t.Errorf("got %q because %q, named %q\nwant %q saying %q", v.Readiness, v.Because, v.Named, tt.want, tt.says)
			}
			for _, s := range append(slices.Clone(v.Because), v.Named...) {
				if !strings.HasSuffix(s, ".") || strings.HasSuffix(s, "..") || strings.Contains(s, "\n") {
					t.Errorf("not a sentence: %q", s)
				}
			}
		})
	}
}

func TestRisks(t *testing.T) {
	plan := lamp()
	plan.Risks = append(plan.Risks, evidence.RiskInfo{ID: "c", Title: "Gamma", Excluded: "no app"}, evidence.RiskInfo{ID: "d", Title: "Delta"})
	results := passes(plan)
	fail(&results[0], evidence.Minor, "x")
	fail(&results[1], evidence.Major, "x")
	results[2].Outcome = evidence.NotApplicable
	notRun(&results[3])
	want := []Risk{
		{ID: "a", Title: "Alpha", State: Findings, Checks: 2, Decided: 2, Worst: evidence.Major, Findings: 2},
		{ID: "b", Title: "Beta", State: Partly, Checks: 3, Decided: 2},
		{ID: "c", Title: "Gamma", State: NotAssessed, Excluded: "no app"},
		{ID: "d", Title: "Delta", State: NotAssessed},
	}
	if diff := cmp.Diff(want, Judge(plan, results, today).Risks); diff != "" {
		t.Errorf("risks (-want +got):\n%s", diff)
	}
}

func TestWorstRepetitionWins(t *testing.T) {
	plan := evidence.Plan{Checks: lamp().Checks[:1], Variants: lamp().Variants[:1]}
	for want, given := range map[evidence.Outcome][]evidence.Outcome{
		evidence.Fail:          {evidence.Pass, evidence.NotRun, evidence.Fail, evidence.NotApplicable},
		evidence.NotRun:        {evidence.NotApplicable, evidence.NotRun, evidence.Pass},
		evidence.Pass:          {evidence.NotApplicable, evidence.Pass},
		evidence.NotApplicable: {evidence.NotApplicable, evidence.NotApplicable},
	} {
		var results []evidence.Result
		for i, o := range given {
			results = append(results, evidence.Result{Check: "a.hard", Variant: "rev-a", Repeat: i, Outcome: o})
		}
		if got := Cases(plan, results); len(got) != 1 || got[0].Outcome != want {
			t.Errorf("%v: got %v, want one case %s", given, got, want)
		}
	}
}

func TestApplyLeavesItsInputAlone(t *testing.T) {
	plan := lamp()
	plan.Accepted = []evidence.Acceptance{{Check: "a.hard", Reason: "known", Until: today.AddDate(0, 0, 1)}}
	results := passes(plan)
	fail(&results[0], evidence.Major, "x")
	fail(&results[3], evidence.Major, "x")
	results[3].Findings[0].Accepted = "stale"
	got := Apply(plan, results, today)
	if results[0].Findings[0].Accepted != "" || got[0].Findings[0].Accepted != "known" || got[3].Findings[0].Accepted != "" {
		t.Errorf("before %q, after %q and %q", results[0].Findings[0].Accepted, got[0].Findings[0].Accepted, got[3].Findings[0].Accepted)
	}
}

// order is how good a verdict is.
func order(r Readiness) int {
	return slices.Index([]Readiness{NotReady, NotEnough, ReadyWithRisks, Ready}, r)
}

// TestNothingBadImproves draws plans with results, makes one of them worse in some way, and wants no better verdict.
func TestNothingBadImproves(t *testing.T) {
	severities := []evidence.Severity{evidence.Blocker, evidence.Major, evidence.Minor, evidence.Info}
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		plan := lamp()
		for i := range plan.Risks {
			if rnd.IntN(6) == 0 {
				plan.Risks[i].Excluded = "left out"
			}
		}
		if rnd.IntN(3) == 0 {
			plan.Accepted = []evidence.Acceptance{{Check: "a.hard", Reason: "known", Until: today.AddDate(0, 0, rnd.IntN(3)-1)}}
		}
		for _, j := range plan.Jobs[:rnd.IntN(3)] {
			j.Repeat = 1
			plan.Jobs = append(plan.Jobs, j)
		}
		results := passes(plan)
		for i := range results {
			switch rnd.IntN(7) {
			case 0:
				notRun(&results[i])
			case 1:
				results[i].Outcome = evidence.NotApplicable
			case 2:
				fail(&results[i], severities[rnd.IntN(4)], "x")
			}
		}
		before := Judge(plan, results, today).Readiness
		i := rnd.IntN(len(results))
		for name, worsen := range map[string]func(r *evidence.Result){
			"a finding more": func(r *evidence.Result) {
				r.Findings = append(slices.Clone(r.Findings), evidence.Finding{Severity: severities[rnd.IntN(4)], Title: "y"})
			},
			"not run instead of passed": func(r *evidence.Result) {
				if r.Outcome == evidence.Pass {
					notRun(r)
				}
			},
		} {
			worse := slices.Clone(results)
			worsen(&worse[i])
			if after := Judge(plan, worse, today).Readiness; order(after) > order(before) {
				t.Fatalf("seed %d: %s on %s made %q of %q", seed, name, fmt.Sprint(results[i]), after, before)
			}
		}
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 0.001: "under 1 %", 0.7: "70 %", 0.9995: "over 99 %", 1: "100 %"} {
		if got := Percent(share); got != want {
			t.Errorf("Percent(%v) = %q, want %q", share, got, want)
		}
	}
}

// A part that Shakedown plays is not under test; that is a risk of the launch, and named.
func TestStandInsAreNamed(t *testing.T) {
	plan := evidence.Plan{StandIns: []string{"cloud"}}
	v := Judge(plan, nil, time.Time{})
	if v.Readiness != ReadyWithRisks || !slices.Contains(v.Named, `"cloud" was played by Shakedown: nothing is known of the real one.`) {
		t.Errorf("%s, named %q", v.Readiness, v.Named)
	}
}
