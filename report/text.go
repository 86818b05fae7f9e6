package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// Look is how Text appears.
type Look struct {
	Colour bool   // use ANSI colours
	Report string // path of the HTML report, printed at the end; empty for none
}

// textWidth is the widest line of Text; only a word that is longer goes beyond it.
const textWidth = 80

// ANSI codes of the few colours that text uses.
var colours = map[string]string{
	"not": "\x1b[1;31m", "ready": "\x1b[1;32m", "risks": "\x1b[1;33m", "enough": "\x1b[1;35m",
	"blocker": "\x1b[31m", "major": "\x1b[33m",
}

// texter writes wrapped lines.
type texter struct {
	w      *bufio.Writer
	colour bool
}

// Text writes the verdict, the findings and what was not tested, for a terminal.
func Text(w io.Writer, in Input, look Look) error {
	t := texter{w: bufio.NewWriter(w), colour: look.Colour}
	v := viewer{in: Input{Plan: in.Plan, Results: in.Results}, cases: verdict.Cases(in.Plan, in.Results)}
	t.verdict(in, v.cases)
	if cards := v.cards(); len(cards) > 0 {
		t.line("", "FINDINGS")
		for _, c := range cards {
			t.card(c)
		}
		t.line("")
	}
	// The page has all of them; here are those that were held against limits.
	if loads := slices.DeleteFunc(v.loads(), func(l loaded) bool { return len(l.Limits) == 0 && len(l.Capacity.Steps) == 0 }); len(loads) > 0 {
		t.line("", "UNDER LOAD")
		for _, l := range loads {
			t.load(l)
		}
		t.line("")
	}
	if gaps := v.gaps(); len(gaps) > 0 {
		t.line("", "NOT TESTED")
		for _, g := range gaps {
			t.gap(g)
		}
		t.line("")
	}
	if look.Report != "" {
		t.line("", "Report: "+look.Report)
	}
	t.line("", "Replay: "+replay(in.Plan))
	return t.w.Flush()
}

func (t *texter) verdict(in Input, cases []verdict.Case) {
	class := classes[in.Verdict.Readiness]
	fmt.Fprintln(t.w, clean(in.Plan.Product)+": "+t.paint(class, strings.ToUpper(string(in.Verdict.Readiness))))
	t.line("", strings.Join(tally(cases), ", ")+".")
	t.line("")
	for _, b := range in.Verdict.Because {
		t.line("  - ", b)
	}
	if len(in.Verdict.Named) > 0 {
		t.line("")
		what := "The risks:"
		if class != "risks" {
			what = "What else would be risked:"
		}
		t.line("", what)
		for _, b := range in.Verdict.Named {
			t.line("  - ", b)
		}
	}
	t.line("")
}

func (t *texter) card(c *card) {
	for _, w := range c.Ways {
		f := w.Finding
		t.line("")
		label := string(f.Severity)
		if f.Accepted != "" {
			label += ", accepted"
		}
		fmt.Fprintln(t.w, t.paint(string(f.Severity), clean(label))+"  "+clean(c.Check.ID))
		t.line("  ", upperFirst(f.Title))
		t.line("  for       ", w.Reach())
		t.line("  expected  ", f.Expected)
		t.line("  seen      ", f.Seen)
		for _, p := range w.Places[1:] {
			if p.Differs {
				t.line("            ", "on "+p.Variant+": "+p.Finding.Seen)
			}
		}
		if f.Accepted != "" {
			t.line("  accepted  ", f.Accepted)
		}
		if c.Check.Fix != "" {
			t.line("  fix       ", c.Check.Fix)
		}
		if f.Reproduce != "" {
			// A command is not wrapped: it is there to be copied.
			fmt.Fprintln(t.w, "  again     "+clean(f.Reproduce))
		}
		for _, p := range w.Places[:1] {
			for _, e := range p.Evidence {
				t.line("  evidence  ", e.Text)
			}
		}
	}
}

func (t *texter) gap(g *gap) {
	what := ""
	if g.Outcome == evidence.NotApplicable {
		what = " (does not apply)"
	}
	ids := make([]string, len(g.Checks))
	for i, c := range g.Checks {
		ids[i] = c.ID
	}
	t.line("")
	t.line("  ", upperFirst(g.Reason)+what)
	t.line("    ", strings.Join(ids, ", "))
	if g.Hint != "" {
		t.line("    hint: ", g.Hint)
	}
}

// paint colours a word. What it returns is not for line, which takes out everything that a terminal obeys.
func (t *texter) paint(colour, word string) string {
	code, ok := colours[colour]
	if !t.colour || !ok {
		return word
	}
	return code + word + "\x1b[0m"
}

// line writes a text after a prefix, wrapped with the prefix's width as indentation. The prefix's letters stand on the first line only.
func (t *texter) line(prefix string, text ...string) {
	body := clean(strings.Join(text, ""))
	indent := strings.Repeat(" ", len(prefix))
	at, start := prefix, true
	for word := range strings.FieldsSeq(body) {
		if !start && len([]rune(at))+1+len([]rune(word)) > textWidth {
			fmt.Fprintln(t.w, at)
			at, start = indent, true
		}
		if !start {
			at += " "
		}
		at += word
		start = false
	}
	fmt.Fprintln(t.w, strings.TrimRight(at, " "))
}

// clean takes out what a terminal would obey: a product's words end up here.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return ' '
		}
		return c
	}, s)
}
