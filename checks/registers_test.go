package checks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/checks"
)

func TestIncidentsAreComplete(t *testing.T) {
	all := checks.Incidents()
	if len(all) != 113 {
		t.Errorf("%d incidents, want 113", len(all))
	}
	seen := map[string]bool{}
	for _, i := range all {
		if seen[i.ID] {
			t.Errorf("%s stands there twice", i.ID)
		}
		seen[i.ID] = true
		if i.Product == "" || i.Broke == "" || i.Source == "" {
			t.Errorf("%s lacks product, what broke, or source", i.ID)
		}
		for _, s := range strings.Fields(i.Source) {
			if !strings.HasPrefix(s, "https://") {
				t.Errorf("%s: source %q is not an address", i.ID, s)
			}
		}
		if got, ok := checks.Incident(i.ID); !ok || got != i {
			t.Errorf("Incident(%q) = %v, %v", i.ID, got, ok)
		}
	}
	if _, ok := checks.Incident("INC-999"); ok {
		t.Error("INC-999 was found")
	}
}

func TestIncidentsBelongToRisks(t *testing.T) {
	belongs := map[string]bool{}
	for _, r := range checks.All() {
		of := checks.IncidentsOf(r.ID)
		if len(of) == 0 {
			t.Errorf("%s has no incident", r.ID)
		}
		for _, i := range of {
			belongs[i.ID] = true
		}
	}
	for _, i := range checks.Incidents() {
		if !belongs[i.ID] {
			t.Errorf("%s belongs to no known risk", i.ID)
		}
	}
}

func TestRequirementsAreComplete(t *testing.T) {
	count := map[string]int{}
	seen := map[string]bool{}
	for _, r := range checks.Requirements() {
		if seen[r.ID] {
			t.Errorf("%s stands there twice", r.ID)
		}
		seen[r.ID] = true
		if r.Scheme == "" || r.Clause == "" || r.Topic == "" {
			t.Errorf("%s lacks scheme, clause or topic", r.ID)
		}
		if !slices.Contains([]checks.Level{checks.Mandatory, checks.Recommended, checks.Unrated}, r.Level) {
			t.Errorf("%s: level %q", r.ID, r.Level)
		}
		if got, ok := checks.Requirement(r.ID); !ok || got != r {
			t.Errorf("Requirement(%q) = %v, %v", r.ID, got, ok)
		}
		scheme, _, _ := strings.Cut(r.ID, ":")
		count[scheme]++
		count[scheme+" "+string(r.Level)]++
	}
	for what, want := range map[string]int{
		"CRA":                  22,
		"EN303645":             78,
		"EN303645 mandatory":   36,
		"EN303645 recommended": 42,
		"NIST8425":             10,
		"PSTI":                 3,
		"IOT10":                10,
		"API10":                10,
	} {
		if count[what] != want {
			t.Errorf("%s: %d requirements, want %d", what, count[what], want)
		}
	}
	if _, ok := checks.Requirement("CRA:I.9z"); ok {
		t.Error("CRA:I.9z was found")
	}
}

func TestRowsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range checks.Rows() {
		if seen[r.ID] {
			t.Errorf("%s stands there twice", r.ID)
		}
		seen[r.ID] = true
		if r.ID == "" || r.Subject == "" {
			t.Errorf("row %q lacks id or subject", r)
		}
	}
	if len(seen) < 147 {
		t.Errorf("%d rows, want 254 at least", len(seen))
	}
}

func TestChecksNameKnownRows(t *testing.T) {
	known := map[string]bool{}
	for _, r := range checks.Rows() {
		known[r.ID] = true
	}
	for _, risk := range checks.All() {
		for _, c := range risk.Checks {
			for _, id := range c.Rows {
				if !known[id] {
					t.Errorf("%s: unknown row %q", c.ID, id)
				}
			}
		}
	}
}
