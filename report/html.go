package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

//go:embed report.html.tmpl timeline.svg.tmpl load.html.tmpl compare.html.tmpl
var templateFiles embed.FS

//go:embed report.css
var style string

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"percent": func(f float64) string { return strings.ReplaceAll(verdict.Percent(f), " ", "\u00a0") },
	"width":   func(f float64) string { return fmt.Sprintf("%.1f%%", min(max(f, 0), 1)*100) },
	"scale":   func(f float64) string { return fmt.Sprintf("%.1f", min(max(f, 0), 1)*200) },
	"number":  number,
	"day":     func(t time.Time) string { return t.UTC().Format("2 January 2006") },
	"moment":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.0 UTC") },
	"coord":   func(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) },
	"join":    verdict.Join,
	"plural":  plural,
	"secs":    secs,
	"web":     isWeb,
	"upper":   upperFirst,
	"span":    span,
	"figure":  figure,
}).ParseFS(templateFiles, "*.tmpl"))

// viewer collects what the page shows.
type viewer struct {
	in    Input
	cases []verdict.Case
	plots int
}

// page is what report.html.tmpl is filled with.
type page struct {
	Style     template.CSS
	Plan      evidence.Plan
	Verdict   verdict.Verdict
	Class     string // of the verdict, for the style
	Sentence  string
	Generated time.Time
	Started   time.Time
	Seconds   float64
	Tally     []string
	Variants  []variantRow
	Cards     []*card
	Gaps      []*gap
	Passed    []*passed
	Networks  []network
	Artefacts []opened
	Calendar  *calendar
	Loads     []loaded
	Replay    string
	Titles    map[string]string // of the risks, by id
}

// HTML writes the report as one page that needs no other file and asks for none. It belongs into the run folder: its links to the
// evidence are relative.
func HTML(w io.Writer, in Input) error {
	v := viewer{in: in, cases: verdict.Cases(in.Plan, in.Results)}
	p := page{
		Style: template.CSS(style), Plan: in.Plan, Verdict: in.Verdict, Generated: in.Generated,
		Class: classes[in.Verdict.Readiness], Sentence: sentence(in, v.cases), Tally: tally(v.cases),
		Variants: v.variants(), Cards: v.cards(), Gaps: v.gaps(), Passed: v.passed(), Networks: v.networks(), Artefacts: v.artefacts(), Calendar: v.calendarOf(), Loads: v.loads(),
		Replay: replay(in.Plan), Titles: map[string]string{},
	}
	p.Started, p.Seconds = in.span()
	for _, r := range in.Plan.Risks {
		p.Titles[r.ID] = r.Title
	}
	if err := templates.ExecuteTemplate(w, "report.html.tmpl", p); err != nil {
		return fmt.Errorf("render HTML report: %w", err)
	}
	return nil
}

var classes = map[verdict.Readiness]string{
	verdict.Ready: "ready", verdict.ReadyWithRisks: "risks", verdict.NotReady: "not", verdict.NotEnough: "enough",
}

// sentence is the verdict in one sentence.
func sentence(in Input, cases []verdict.Case) string {
	switch in.Verdict.Readiness {
	case verdict.NotReady:
		checks, share, hit := map[string]bool{}, 0.0, map[string]bool{}
		for _, c := range cases {
			for _, f := range c.Findings {
				if f.Accepted != "" || verdict.Rank(f.Severity) != 0 || !c.Users {
					continue
				}
				checks[c.Check.ID] = true
				if !hit[c.Variant] {
					hit[c.Variant] = true
					share += c.Share
				}
			}
		}
		what := "One problem that blocks a launch was found"
		if len(checks) > 1 {
			what = fmt.Sprintf("%d problems that block a launch were found", len(checks))
		}
		if share == 0 {
			return what + "."
		}
		if len(checks) > 1 {
			return what + "; together they reach " + verdict.Percent(share) + " of users."
		}
		return what + "; it reaches " + verdict.Percent(share) + " of users."
	case verdict.NotEnough:
		return "Nothing that was seen forbids a launch, but too little was seen to decide."
	}
	return strings.Join(in.Verdict.Because, " ")
}

// tally says in a few words how much was found and decided. A check counts once for each severity that it found, on however many
// variants.
func tally(cases []verdict.Case) []string {
	found := map[evidence.Severity]map[string]bool{}
	accepted := map[string]bool{}
	decided, applicable := 0, 0
	for _, c := range cases {
		if c.Outcome != evidence.NotApplicable {
			applicable++
		}
		if c.Outcome == evidence.Pass || c.Outcome == evidence.Fail {
			decided++
		}
		for _, f := range c.Findings {
			if f.Accepted != "" {
				accepted[c.Check.ID] = true
				continue
			}
			if found[f.Severity] == nil {
				found[f.Severity] = map[string]bool{}
			}
			found[f.Severity][c.Check.ID] = true
		}
	}
	var out []string
	for _, s := range severities {
		if n := len(found[s]); n == 1 || n > 1 && s != evidence.Blocker {
			out = append(out, fmt.Sprintf("%d %s", n, s))
		} else if n > 1 {
			out = append(out, plural(n, string(s)))
		}
	}
	if len(accepted) > 0 {
		out = append(out, fmt.Sprintf("%d accepted", len(accepted)))
	}
	return append(out, fmt.Sprintf("%d of %s decided", decided, plural(applicable, "applicable job")))
}

// replay is the command that repeats the run.
func replay(plan evidence.Plan) string {
	command := plan.Command
	if plan.Selection != "" {
		command += " " + plan.Selection
	}
	return command + " --seed " + strconv.FormatUint(plan.Seed, 10)
}

// number prints a measured value with three digits, and all that stand before the point.
func number(f float64) string {
	if math.Abs(f) >= 100 {
		return strconv.FormatFloat(math.Round(f), 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

// isWeb says whether a source is an address that can be followed.
func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// upperFirst begins a sentence, unless its first word is a name that must stay as it is.
func upperFirst(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if s == "" || strings.ContainsAny(word, "_.-/") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
