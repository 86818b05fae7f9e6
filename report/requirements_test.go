package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
)

func TestRequirements(t *testing.T) {
	check := func(id string, requirements ...string) evidence.CheckInfo {
		return evidence.CheckInfo{ID: id, Severity: evidence.Major, Requirements: requirements}
	}
	plan := evidence.Plan{
		Product: "Lamp", Variants: []evidence.VariantInfo{{Name: "default", Share: 1}}, Risks: []evidence.RiskInfo{{ID: "security"}},
		Checks: []evidence.CheckInfo{check("security.a", "S:1", "S:2"), check("security.b", "S:2"), check("security.c", "S:3"), check("security.d", "S:6")},
		States: []evidence.Statement{{Requirement: "S:4", Text: "see the manual"}, {Requirement: "S:2", Text: "we think so"}},
	}
	result := func(id string, o evidence.Outcome, findings ...evidence.Finding) evidence.Result {
		plan.Jobs = append(plan.Jobs, evidence.Job{Check: id, Variant: "default"})
		return evidence.Result{Check: id, Variant: "default", Outcome: o, Findings: findings}
	}
	results := []evidence.Result{
		result("security.a", evidence.Pass), result("security.b", evidence.NotRun),
		result("security.c", evidence.Fail, evidence.Finding{Severity: evidence.Major, Title: "Is weak"}),
		result("security.d", evidence.NotApplicable),
	}
	clauses := []Clause{}
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		clauses = append(clauses, Clause{ID: "S:" + n, Scheme: "Scheme", Clause: n, Topic: "topic " + n})
	}
	in := Input{Plan: plan, Results: results}
	var got []string
	for _, s := range judgeClauses(in, clauses) {
		got = append(got, s.State)
	}
	if want := "nothing found, partly measured, finding, declared, not assessed, not assessed"; strings.Join(got, ", ") != want {
		t.Errorf("states %v, want %s", got, want)
	}
	var text bytes.Buffer
	if err := Requirements(&text, in, clauses, "text"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Scheme: 1 finding, 1 nothing found, 1 partly measured, 1 declared, 2 not assessed", "found by security.c", "declared: see the manual",
		"declared: we think so", "not decided: security.b", "no statement of conformity",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) { // however it is wrapped
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
}
