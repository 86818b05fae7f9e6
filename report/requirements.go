package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// Clause is a requirement as it is asked for.
type Clause struct {
	ID, Scheme, Clause, Topic, Level string
}

// ClauseState is what is known of a requirement. State is "finding", "nothing found", "partly measured", "declared" or "not assessed".
type ClauseState struct {
	ID       string   `json:"id"`
	Scheme   string   `json:"scheme"`
	Clause   string   `json:"clause"`
	Level    string   `json:"level,omitempty"`
	Topic    string   `json:"topic"`
	State    string   `json:"state"`
	Declared string   `json:"declared,omitempty"` // what the maker states
	Failed   []string `json:"failed,omitempty"`   // checks with findings that nobody accepted
	Passed   []string `json:"passed,omitempty"`
	Open     []string `json:"open,omitempty"` // checks that apply and could not be decided
}

// Requirements writes, scheme by scheme and clause by clause, what was measured, what is declared, and what is not assessed. It gives
// evidence for an assessment and claims no conformity.
func Requirements(w io.Writer, in Input, clauses []Clause, format Format) error {
	states := judgeClauses(in, clauses)
	if format == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(states)
	}
	t := texter{w: bufio.NewWriter(w)}
	t.line("", "REQUIREMENTS for "+in.Plan.Product)
	t.line("", "What was measured, what the maker declares, and what nobody looked at. This is evidence for an assessment; it is no statement of conformity.")
	scheme := ""
	for _, s := range states {
		if s.Scheme != scheme {
			scheme = s.Scheme
			t.line("")
			t.line("", scheme+": "+counted(states, scheme))
		}
		t.line(fmt.Sprintf("  %-9s %-16s", s.Clause, s.State), s.Topic)
		for _, more := range []struct{ label, text string }{
			{"found by ", strings.Join(s.Failed, ", ")},
			{"measured by ", strings.Join(s.Passed, ", ")},
			{"not decided: ", strings.Join(s.Open, ", ")},
			{"declared: ", s.Declared},
		} {
			if more.text != "" {
				t.line(strings.Repeat(" ", 28)+more.label, more.text)
			}
		}
	}
	return t.w.Flush()
}

// counted is how many clauses of a scheme are in each state.
func counted(states []ClauseState, scheme string) string {
	var words []string
	for _, state := range []string{"finding", "nothing found", "partly measured", "declared", "not assessed"} {
		n := 0
		for _, s := range states {
			if s.Scheme == scheme && s.State == state {
				n++
			}
		}
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(words, ", ")
}

// judgeClauses says of every clause what is known.
func judgeClauses(in Input, clauses []Clause) []ClauseState {
	cases := verdict.Cases(in.Plan, in.Results)
	declared := map[string]string{}
	for _, s := range in.Plan.States {
		declared[s.Requirement] = s.Text
	}
	states := []ClauseState{}
	for _, c := range clauses {
		s := ClauseState{ID: c.ID, Scheme: c.Scheme, Clause: c.Clause, Level: c.Level, Topic: c.Topic, Declared: declared[c.ID]}
		for _, k := range cases {
			if slices.Contains(k.Check.Requirements, c.ID) {
				s.take(k)
			}
		}
		s.Passed = slices.DeleteFunc(s.Passed, func(id string) bool { return slices.Contains(s.Failed, id) || slices.Contains(s.Open, id) })
		switch {
		case len(s.Failed) > 0:
			s.State = "finding"
		case len(s.Passed) > 0 && len(s.Open) > 0:
			s.State = "partly measured"
		case len(s.Passed) > 0:
			s.State = "nothing found"
		case s.Declared != "":
			s.State = "declared"
		default:
			s.State = "not assessed"
		}
		states = append(states, s)
	}
	return states
}

// take counts a case of a check that gives evidence for the clause.
func (s *ClauseState) take(k verdict.Case) {
	add := func(ids *[]string) {
		if !slices.Contains(*ids, k.Check.ID) {
			*ids = append(*ids, k.Check.ID)
		}
	}
	counts := func(f evidence.Finding) bool { return f.Accepted == "" && f.Severity != evidence.Info }
	switch {
	case slices.ContainsFunc(k.Findings, counts):
		add(&s.Failed)
	case k.Outcome == evidence.NotApplicable:
	case k.Undone || !k.Decided:
		add(&s.Open)
	default:
		add(&s.Passed)
	}
}
