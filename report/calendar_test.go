package report

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

func TestCalendar(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	b := func(kind evidence.BreakKind, when, what string) evidence.Break {
		return evidence.Break{When: day(when), Kind: kind, What: what}
	}
	results := []evidence.Result{{Calendar: []evidence.Break{
		b(evidence.EndServer, "2027-03-01", "a"), b(evidence.EndServer, "2027-03-02", "b"), b(evidence.EndOwn, "2026-06-01", "gone"),
		b(evidence.EndServer, "2030-03-01", "c"), b(evidence.DateSupport, "2034-03-01", "end of support"),
	}}}
	v := viewer{in: Input{Plan: evidence.Plan{Created: day("2027-01-01"), Variants: make([]evidence.VariantInfo, 3)}}, cases: []verdict.Case{{Variant: "one", Results: results}, {Variant: "two", Results: results}}}
	c := v.calendarOf()
	if len(c.Days) != 5 || c.Days[0].What != "gone" || !c.Days[0].Past || c.Days[1].Past || len(c.Days[0].Variants) != 2 {
		t.Errorf("the table is %+v", c.Days)
	}
	if len(c.Lanes) != 2 || c.Lanes[0].Name != "own certificates" || len(c.Lanes[1].Marks) != 2 || c.Lanes[1].Marks[0].Label() != "2" || len(c.Dates) != 1 {
		t.Errorf("the plot is %+v", c.Lanes)
	}
	if !strings.Contains(c.Lanes[1].Marks[0].Text, "2027-03-01: a; 2027-03-02: b") {
		t.Errorf("the mark says %q", c.Lanes[1].Marks[0].Text)
	}
	for _, l := range c.Lanes {
		for _, m := range l.Marks {
			if m.X < calendarLeft || m.X > calendarRight {
				t.Errorf("a mark at %f", m.X)
			}
		}
	}
	if c.Now <= c.Lanes[0].Marks[0].X {
		t.Error("now is before what has ended")
	}
	if empty := (&viewer{}).calendarOf(); empty != nil {
		t.Errorf("of nothing: %+v", empty)
	}
}
