package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// Format is how Compare writes.
type Format string

// The formats of Compare.
const (
	ComparedText Format = "text"
	ComparedJSON Format = "json"
	ComparedHTML Format = "html"
)

// Comparison is what became of the findings from one run to the next. A finding is the same when check, variant and title are, but for
// numbers in the title.
type Comparison struct {
	Product string            `json:"product"`
	Before  Judged            `json:"before"`
	After   Judged            `json:"after"`
	New     []ComparedFinding `json:"new"`
	Still   []ComparedFinding `json:"still_there"`
	Fixed   []ComparedFinding `json:"fixed"`               // the check was decided again and does not find it
	Unknown []ComparedFinding `json:"no_longer_tested"`    // found before, and nobody looked now
	Lost    []ComparedCheck   `json:"checks_lost"`         // passed before, and not decided now
	Gained  []ComparedCheck   `json:"checks_newly_tested"` // not decided before
}

// Judged is one side of a comparison.
type Judged struct {
	Verdict verdict.Readiness `json:"verdict"`
	Created time.Time         `json:"created"`
	Seed    uint64            `json:"seed"`
}

// ComparedFinding is a finding on a variant.
type ComparedFinding struct {
	Check    string            `json:"check"`
	Variant  string            `json:"variant"`
	Severity evidence.Severity `json:"severity"`
	Title    string            `json:"title"`
	Accepted string            `json:"accepted,omitempty"`
	Reason   string            `json:"reason,omitempty"` // why it is no longer tested
}

// ComparedCheck is a check on a variant.
type ComparedCheck struct {
	Check   string `json:"check"`
	Variant string `json:"variant"`
	Reason  string `json:"reason,omitempty"`
}

// Where is "check@variant", or the check alone where the product has no variants.
func (f ComparedFinding) Where() string {
	return jobName(evidence.Result{Check: f.Check, Variant: f.Variant})
}

// Where is "check@variant", or the check alone where the product has no variants.
func (c ComparedCheck) Where() string {
	return jobName(evidence.Result{Check: c.Check, Variant: c.Variant})
}

// Compare writes what changed from old to current.
func Compare(w io.Writer, current, old Input, format Format) error {
	c := compare(current, old)
	switch format {
	case ComparedText:
		return c.text(w)
	case ComparedJSON:
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(c)
	case ComparedHTML:
		return templates.ExecuteTemplate(w, "compare.html.tmpl", struct {
			Comparison
			Style  template.CSS
			Class  string
			Groups []comparedGroup
		}{c, template.CSS(style), classes[c.After.Verdict], c.groups()})
	}
	return fmt.Errorf("compare runs: there is no format %q", format)
}

func compare(current, old Input) Comparison {
	c := Comparison{
		Product: current.Plan.Product, Before: side(old), After: side(current),
		New: []ComparedFinding{}, Still: []ComparedFinding{}, Fixed: []ComparedFinding{}, Unknown: []ComparedFinding{},
		Lost: []ComparedCheck{}, Gained: []ComparedCheck{},
	}
	type key [2]string
	before, after := map[key]verdict.Case{}, map[key]verdict.Case{}
	was, is := verdict.Cases(old.Plan, old.Results), verdict.Cases(current.Plan, current.Results)
	for _, k := range was {
		before[key{k.Check.ID, k.Variant}] = k
	}
	for _, k := range is {
		after[key{k.Check.ID, k.Variant}] = k
		known := prints(before[key{k.Check.ID, k.Variant}])
		for _, f := range once(k) {
			if known[fingerprint(k.Check.ID, k.Variant, f.Title)] {
				c.Still = append(c.Still, f)
			} else {
				c.New = append(c.New, f)
			}
		}
		if k.Decided && !before[key{k.Check.ID, k.Variant}].Decided {
			c.Gained = append(c.Gained, ComparedCheck{Check: k.Check.ID, Variant: k.Variant})
		}
	}
	for _, k := range was {
		now, planned := after[key{k.Check.ID, k.Variant}]
		reason := now.Reason
		if !planned {
			reason = "the run does not have it"
		}
		seen := prints(now)
		for _, f := range once(k) {
			switch {
			case seen[fingerprint(k.Check.ID, k.Variant, f.Title)]:
			case now.Decided && !now.Undone:
				c.Fixed = append(c.Fixed, f)
			default:
				f.Reason = reason
				c.Unknown = append(c.Unknown, f)
			}
		}
		if k.Outcome == evidence.Pass && !now.Decided {
			c.Lost = append(c.Lost, ComparedCheck{Check: k.Check.ID, Variant: k.Variant, Reason: reason})
		}
	}
	for _, list := range [][]ComparedFinding{c.New, c.Still, c.Fixed, c.Unknown} {
		slices.SortStableFunc(list, func(a, b ComparedFinding) int { return verdict.Rank(a.Severity) - verdict.Rank(b.Severity) })
	}
	return c
}

func side(in Input) Judged {
	return Judged{Verdict: in.Verdict.Readiness, Created: in.Plan.Created, Seed: in.Plan.Seed}
}

// prints are the fingerprints of a case's findings.
func prints(c verdict.Case) map[string]bool {
	out := map[string]bool{}
	for _, f := range c.Findings {
		out[fingerprint(c.Check.ID, c.Variant, f.Title)] = true
	}
	return out
}

// once are the findings of a case, each once however many repetitions showed it.
func once(c verdict.Case) []ComparedFinding {
	var out []ComparedFinding
	told := map[string]bool{}
	for _, f := range c.Findings {
		if p := fingerprint(c.Check.ID, c.Variant, f.Title); !told[p] {
			told[p] = true
			out = append(out, ComparedFinding{Check: c.Check.ID, Variant: c.Variant, Severity: f.Severity, Title: f.Title, Accepted: f.Accepted})
		}
	}
	return out
}

// comparedGroup is a heading and what stands under it.
type comparedGroup struct {
	Title    string
	Findings []ComparedFinding
}

func (c Comparison) groups() []comparedGroup {
	return []comparedGroup{{"New", c.New}, {"Still there", c.Still}, {"No longer tested", c.Unknown}, {"Fixed", c.Fixed}}
}

func (c Comparison) text(w io.Writer) error {
	t := texter{w: bufio.NewWriter(w)}
	t.line("", fmt.Sprintf("%s: %s (before: %s)", c.Product, c.After.Verdict, c.Before.Verdict))
	for _, g := range c.groups() {
		t.line("")
		t.line("", fmt.Sprintf("%s: %d", g.Title, len(g.Findings)))
		for _, f := range g.Findings {
			t.line("  - ", fmt.Sprintf("%s: %s (%s)", f.Where(), f.Title, f.Severity))
			if f.Reason != "" {
				t.line("    ", f.Reason)
			}
		}
	}
	t.line("")
	t.line("", fmt.Sprintf("Checks that passed before and were not decided now: %d", len(c.Lost)))
	for _, k := range c.Lost {
		t.line("  - ", k.Where()+": "+k.Reason)
	}
	t.line("", fmt.Sprintf("Checks that were decided for the first time: %d", len(c.Gained)))
	for _, k := range c.Gained {
		t.line("  - ", k.Where())
	}
	return t.w.Flush()
}
