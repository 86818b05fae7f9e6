package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

var update = flag.Bool("update", false, "write the golden files")

var day = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// campaign is the stored run, judged on day.
func campaign(t *testing.T) Input {
	t.Helper()
	run, err := evidence.OpenRun("testdata/campaign")
	if err != nil {
		t.Fatal(err)
	}
	return judged(run.Plan(), run.Results(), run.Events)
}

func judged(plan evidence.Plan, results []evidence.Result, events func(string) ([]evidence.Event, error)) Input {
	results = verdict.Apply(plan, results, day)
	return Input{Plan: plan, Results: results, Verdict: verdict.Judge(plan, results, day), Events: events, Generated: day}
}

// later is the campaign after a firmware update: one blocker fixed, one finding new, one check no longer run.
func later(t *testing.T) Input {
	t.Helper()
	in := campaign(t)
	var results []evidence.Result
	for _, r := range in.Results {
		r.Findings = append([]evidence.Finding(nil), r.Findings...)
		switch r.Check + "@" + r.Variant {
		case "fault.reconnect-backoff@rev-a":
			r.Outcome, r.Findings = evidence.Pass, nil
		case "fault.reconnect-backoff@rev-b":
			r.Findings[0].Title = "connects 12 times a second while the broker drops it"
		case "security.wrong-name@rev-b":
			r.Outcome, r.Findings, r.Reason, r.Hint = evidence.NotRun, nil, "the device did not start", "look at its console"
		case "telemetry.interval@rev-a":
			r.Outcome = evidence.Fail
			r.Findings = []evidence.Finding{{Severity: evidence.Minor, Title: "sends every 20 s", Expected: "8 s to 12 s", Seen: "20 s", Since: day}}
		}
		results = append(results, r)
	}
	return judged(in.Plan, results, in.Events)
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; run with -update if that is meant (-want +got):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	in := campaign(t)
	formats := map[string]func(io.Writer) error{
		"report.html":   func(w io.Writer) error { return HTML(w, in) },
		"results.json":  func(w io.Writer) error { return JSON(w, in) },
		"junit.xml":     func(w io.Writer) error { return JUnit(w, in) },
		"results.sarif": func(w io.Writer) error { return SARIF(w, in) },
		"report.txt":    func(w io.Writer) error { return Text(w, in, Look{Report: "runs/1/report.html"}) },
		"colour.txt":    func(w io.Writer) error { return Text(w, in, Look{Colour: true}) },
		"compare.txt":   func(w io.Writer) error { return Compare(w, later(t), in, ComparedText) },
		"compare.json":  func(w io.Writer) error { return Compare(w, later(t), in, ComparedJSON) },
		"compare.html":  func(w io.Writer) error { return Compare(w, later(t), in, ComparedHTML) },
	}
	for name, render := range formats {
		t.Run(name, func(t *testing.T) {
			var b, again bytes.Buffer
			if err := render(&b); err != nil {
				t.Fatal(err)
			}
			if err := render(&again); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
				t.Errorf("a second rendering differs, or fails: %v", err)
			}
			golden(t, filepath.Join("testdata", "golden", name), b.Bytes())
		})
	}
}

func TestSchema(t *testing.T) {
	var b bytes.Buffer
	if err := Schema(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "../docs/results.schema.json", b.Bytes())
	if err := validated(t, campaign(t)); err != nil {
		t.Errorf("the campaign: %v", err)
	}
	if err := validated(t, judged(evidence.Plan{}, nil, nil)); err != nil {
		t.Errorf("an empty run: %v", err)
	}
	broken := campaign(t)
	broken.Verdict.Readiness = "fine"
	if err := validated(t, broken); err == nil {
		t.Error("the schema takes a verdict that does not exist")
	}
}

// validated holds the results of a run against their schema.
func validated(t *testing.T, in Input) error {
	t.Helper()
	var b bytes.Buffer
	if err := Schema(&b); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("results.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("results.json")
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if err := JSON(&b, in); err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(v)
}

// TestHostileWords puts what a product could say into every field and looks for it unescaped.
func TestHostileWords(t *testing.T) {
	const evil = "</style></title><script>alert(1)</script>\x1b]0;\x00\u202e'\"&]]>"
	in := campaign(t)
	in.Plan.Product, in.Plan.File, in.Plan.Selection = evil, evil, evil
	in.Plan.Variants[0].Hardware = evil
	for i := range in.Plan.Checks {
		c := &in.Plan.Checks[i]
		c.Title, c.Why, c.Fix = evil, evil, evil
		c.Incidents = []evidence.Incident{{Product: evil, Broke: evil, Source: "javascript:alert(1)"}}
	}
	for i := range in.Results {
		r := &in.Results[i]
		r.Reason, r.Hint = evil, evil
		for j := range r.Findings {
			r.Findings[j] = evidence.Finding{
				Severity: evidence.Blocker, Title: evil, Expected: evil, Seen: evil, Reproduce: evil,
				Evidence: []evidence.Ref{{File: "../../etc/passwd", Last: 9, What: evil}, {File: "javascript:alert(1)"}},
			}
		}
		r.Measurements = []evidence.Measurement{{Name: evil, Unit: evil, Limit: evil}}
		class := []evidence.LoadClass{{Name: evil, Count: 1}}
		r.Loads = []evidence.Load{{
			Title: evil, Target: evil, Shape: evil, Invalid: evil, OneWay: evil, Notes: []string{evil}, Every: 1,
			Points:    []evidence.LoadPoint{{Errors: class, Answers: class}, {Second: 1}},
			Latencies: []evidence.LoadLatency{{Timing: evil, Count: 1}},
			Limits:    []evidence.LoadLimit{{Limit: evil, Outcome: evil, Seen: evil, Timing: evil, Seconds: 1}},
			Messages:  evidence.LoadMessages{Numbered: true, Examples: []string{evil}},
			Outages:   []evidence.LoadOutage{{Cause: evil}},
			Capacity:  evidence.LoadCapacity{Unit: evil, Knee: 1, Low: 1, High: 2, Note: evil, Steps: []evidence.LoadStep{{Offered: 1, Outcome: evil, Seen: evil}}},
		}}
	}
	in = judged(in.Plan, in.Results, func(string) ([]evidence.Event, error) {
		return []evidence.Event{{At: day, Kind: evidence.In, Conn: 1, Text: evil}, {N: 1, At: day, Kind: evidence.Impair, Text: evil}}, nil
	})
	var page, text, colour, junit, sarif bytes.Buffer
	for name, err := range map[string]error{"HTML": HTML(&page, in), "text": Text(&text, in, Look{}), "colour": Text(&colour, in, Look{Colour: true}), "JUnit": JUnit(&junit, in), "SARIF": SARIF(&sarif, in)} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"<script", `href="javascript:`, `href="../`, "</style></title>"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if strings.ContainsAny(text.String(), "\x1b\x00\u202e") || strings.Contains(colour.String(), "\x1b]") {
		t.Error("the text has control characters")
	}
	if err := xml.Unmarshal(junit.Bytes(), new(junitSuites)); err != nil {
		t.Errorf("JUnit is not XML: %v", err)
	}
	if !json.Valid(sarif.Bytes()) {
		t.Error("SARIF is not JSON")
	}
}

// TestHTMLAsksForNothing looks for what would make a browser fetch something.
func TestHTMLAsksForNothing(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, campaign(t)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"src=", "@import", "url(", "<script", "<iframe", "<object", "stylesheet", "ZgotmplZ"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestTextWidth(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, campaign(t), Look{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > textWidth && !strings.Contains(line, "again") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestSARIFShape(t *testing.T) {
	var b bytes.Buffer
	if err := SARIF(&b, campaign(t)); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	rules := log.Runs[0].Tool.Driver.Rules
	suppressed := 0
	for _, r := range log.Runs[0].Results {
		if r.Index >= len(rules) || rules[r.Index].ID != r.Rule {
			t.Errorf("%s: its rule index %d is another rule", r.Rule, r.Index)
		}
		if r.Message.Text == "" || len(r.Locations) == 0 || r.Fingerprints["shakedownFinding/v1"] == "" {
			t.Errorf("%s: a result lacks something", r.Rule)
		}
		if r.Level != "error" && r.Level != "warning" && r.Level != "note" {
			t.Errorf("%s: level %q", r.Rule, r.Level)
		}
		suppressed += len(r.Suppressions)
	}
	if len(log.Runs[0].Results) != 8 || suppressed != 1 {
		t.Errorf("%d results, %d suppressed; want 8 and 1", len(log.Runs[0].Results), suppressed)
	}
}

func TestFingerprint(t *testing.T) {
	same := fingerprint("a.b", "rev-a", "Connects 20 times in 1.5 s")
	for _, tt := range []struct {
		check, variant, title string
		want                  bool
	}{
		{"a.b", "rev-a", "connects 7 times in 22 s", true},
		{"a.b", "rev-b", "connects 7 times in 22 s", false},
		{"a.c", "rev-a", "connects 7 times in 22 s", false},
		{"a.b", "rev-a", "connects never", false},
	} {
		if got := fingerprint(tt.check, tt.variant, tt.title) == same; got != tt.want {
			t.Errorf("%v: same %v, want %v", tt, got, tt.want)
		}
	}
}
