package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// card is what one check found, over all variants.
type card struct {
	Check    evidence.CheckInfo
	Severity evidence.Severity // the worst that counts
	Accepted bool              // nothing of it counts
	Ways     []*way
	share    float64
}

// way is one way in which a check did not hold; variants that show the same are told once.
type way struct {
	Finding  evidence.Finding
	Variants []string
	Share    float64
	Users    bool
	Places   []place
}

// place is a way on one variant.
type place struct {
	Variant      string
	Finding      evidence.Finding
	Measurements []evidence.Measurement
	Evidence     []link
	Plot         *plot
	NoPlot       string // why there is none
	Into         string // how far into the check it began, "5.4 s"
	Differs      bool   // whether it was seen in other words than on the first variant
}

// link leads to a file of evidence.
type link struct {
	URL, Text string
}

// Reach says for whom a way matters.
func (w *way) Reach() string {
	names := verdict.Join(slices.DeleteFunc(slices.Clone(w.Variants), func(v string) bool { return v == "" }))
	switch {
	case w.Share == 0 && w.Users && names == "":
		return "every user, as no shares are given"
	case w.Share == 0 && w.Users:
		return names
	case w.Share == 0:
		return "no user yet (" + names + ")"
	case names == "":
		return verdict.Percent(w.Share) + " of users"
	}
	return verdict.Percent(w.Share) + " of users (" + names + ")"
}

// cards groups the findings by check, worst first, then by how many users they reach.
func (v *viewer) cards() []*card {
	var out []*card
	at := map[string]*card{}
	for _, c := range v.cases {
		for _, r := range c.Results {
			for _, f := range r.Findings {
				k := at[c.Check.ID]
				if k == nil {
					k = &card{Check: c.Check, Accepted: true}
					at[c.Check.ID] = k
					out = append(out, k)
				}
				k.add(v, c, r, f)
			}
		}
	}
	for _, k := range out {
		slices.SortStableFunc(k.Ways, func(a, b *way) int { return verdict.Rank(a.Finding.Severity) - verdict.Rank(b.Finding.Severity) })
	}
	slices.SortStableFunc(out, func(a, b *card) int {
		if a.Accepted != b.Accepted {
			if a.Accepted {
				return 1
			}
			return -1
		}
		return cmp.Or(verdict.Rank(a.Severity)-verdict.Rank(b.Severity), cmp.Compare(b.share, a.share))
	})
	for _, k := range out {
		for _, w := range k.Ways {
			v.draw(w)
		}
	}
	return out
}

func (k *card) add(v *viewer, c verdict.Case, r evidence.Result, f evidence.Finding) {
	if counts := f.Accepted == ""; counts && k.Accepted {
		k.Accepted, k.Severity = false, f.Severity
	} else if counts == !k.Accepted && (k.Severity == "" || verdict.Rank(f.Severity) < verdict.Rank(k.Severity)) {
		k.Severity = f.Severity
	}
	// Numbers differ from variant to variant; the way in which it fails is the same.
	i := slices.IndexFunc(k.Ways, func(w *way) bool {
		return w.Finding.Severity == f.Severity && w.Finding.Accepted == f.Accepted &&
			fingerprint(k.Check.ID, "", w.Finding.Title) == fingerprint(k.Check.ID, "", f.Title)
	})
	if i < 0 {
		i = len(k.Ways)
		k.Ways = append(k.Ways, &way{Finding: f})
	}
	w := k.Ways[i]
	if !slices.Contains(w.Variants, c.Variant) {
		w.Variants = append(w.Variants, c.Variant)
		w.Share += c.Share
		w.Users = w.Users || c.Users
	}
	k.share = max(k.share, w.Share)
	p := place{Variant: c.Variant, Finding: f, Measurements: r.Measurements}
	for _, e := range f.Evidence {
		p.Evidence = append(p.Evidence, link{URL: fileURL(e.File), Text: refText(e)})
		if e.Capture != "" {
			p.Evidence = append(p.Evidence, link{URL: fileURL(e.Capture), Text: framesText(e)})
		}
	}
	if r.Repeat > 0 {
		p.Variant = strings.TrimSpace(fmt.Sprintf("%s repetition %d", c.Variant, r.Repeat+1))
	}
	p.Differs = f.Title != w.Finding.Title || f.Seen != w.Finding.Seen || f.Expected != w.Finding.Expected
	w.Places = append(w.Places, p)
}

func refText(e evidence.Ref) string {
	text := fmt.Sprintf("%s, events %d to %d", e.File, e.First, e.Last)
	if e.First == e.Last {
		text = fmt.Sprintf("%s, event %d", e.File, e.First)
	}
	if e.What != "" {
		text += ": " + e.What
	}
	return text
}

// framesText says which packets of the capture belong to a reference.
func framesText(e evidence.Ref) string {
	if e.FirstFrame == e.LastFrame {
		return fmt.Sprintf("packet %d of %s", e.LastFrame, e.Capture)
	}
	return fmt.Sprintf("packets %d to %d of %s", e.FirstFrame, e.LastFrame, e.Capture)
}

// maxPlots bounds the size of a report.
const maxPlots = 60

// draw makes the timelines of a way: that of its first place, and of the others as far as the bound allows.
func (v *viewer) draw(w *way) {
	for i := range w.Places {
		p := &w.Places[i]
		if len(p.Finding.Evidence) == 0 || v.in.Events == nil {
			continue
		}
		if v.plots >= maxPlots {
			p.NoPlot = "This report has enough plots; the evidence is in the file."
			continue
		}
		ref := p.Finding.Evidence[0]
		events, err := v.in.Events(ref.File)
		if errors.Is(err, fs.ErrNotExist) {
			p.NoPlot = "The file of evidence is not in the run folder."
			continue
		}
		if err != nil {
			p.NoPlot = "The evidence cannot be read: " + err.Error()
			continue
		}
		p.Plot = timeline(fmt.Sprintf("plot%d", v.plots+1), events, ref)
		if p.Plot == nil {
			p.NoPlot = "The file of evidence does not have these events."
			continue
		}
		v.plots++
		if into := p.Finding.Since.Sub(events[0].At); into >= 0 && into < 10*365*24*time.Hour {
			p.Into = secs(into.Seconds())
		}
	}
}

// gap is a reason for which checks were not decided.
type gap struct {
	Reason, Hint string
	Outcome      evidence.Outcome
	Checks       []gapCheck
}

type gapCheck struct {
	ID, Title string
	Variants  []string
}

// gaps groups what was not decided by its reason: what could not be run first.
func (v *viewer) gaps() []*gap {
	var out []*gap
	for _, o := range []evidence.Outcome{evidence.NotRun, evidence.NotApplicable} {
		for _, c := range v.cases {
			if c.Outcome != o {
				continue
			}
			i := slices.IndexFunc(out, func(g *gap) bool { return g.Outcome == o && g.Reason == c.Reason && g.Hint == c.Hint })
			if i < 0 {
				i = len(out)
				out = append(out, &gap{Reason: c.Reason, Hint: c.Hint, Outcome: o})
			}
			g := out[i]
			if n := len(g.Checks); n == 0 || g.Checks[n-1].ID != c.Check.ID {
				g.Checks = append(g.Checks, gapCheck{ID: c.Check.ID, Title: c.Check.Title})
			}
			last := &g.Checks[len(g.Checks)-1]
			last.Variants = append(last.Variants, c.Variant)
		}
	}
	return out
}

// passed is a check that passed on some variants, with what it measured.
type passed struct {
	Check    evidence.CheckInfo
	Variants []passedOn
}

type passedOn struct {
	Variants     []string // that measured the same
	Measurements []evidence.Measurement
}

func (v *viewer) passed() []*passed {
	var out []*passed
	for _, c := range v.cases {
		if c.Outcome != evidence.Pass {
			continue
		}
		if n := len(out); n == 0 || out[n-1].Check.ID != c.Check.ID {
			out = append(out, &passed{Check: c.Check})
		}
		on := passedOn{Variants: []string{c.Variant}}
		if len(c.Results) > 0 {
			on.Measurements = c.Results[0].Measurements
		}
		last := out[len(out)-1]
		if n := len(last.Variants); n > 0 && slices.Equal(last.Variants[n-1].Measurements, on.Measurements) {
			last.Variants[n-1].Variants = append(last.Variants[n-1].Variants, c.Variant)
			continue
		}
		last.Variants = append(last.Variants, on)
	}
	return out
}

// variantRow is what is known about a variant.
type variantRow struct {
	evidence.VariantInfo
	Worst    evidence.Severity // of the findings that count
	Findings int
	Passed   int
	Failed   int
	NotRun   int
	Apart    int // do not apply
}

func (v *viewer) variants() []variantRow {
	var out []variantRow
	for _, info := range v.in.Plan.Variants {
		row := variantRow{VariantInfo: info}
		cases := map[evidence.Outcome]int{}
		for _, c := range v.cases {
			if c.Variant != info.Name {
				continue
			}
			cases[c.Outcome]++
			for _, f := range c.Findings {
				if f.Accepted != "" {
					continue
				}
				if row.Findings++; row.Worst == "" || verdict.Rank(f.Severity) < verdict.Rank(row.Worst) {
					row.Worst = f.Severity
				}
			}
		}
		row.Passed, row.Failed = cases[evidence.Pass], cases[evidence.Fail]
		row.NotRun, row.Apart = cases[evidence.NotRun], cases[evidence.NotApplicable]
		out = append(out, row)
	}
	return out
}
