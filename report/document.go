package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// SchemaID names the shape of Document; a change that breaks readers gets a new number.
const SchemaID = "https://github.com/shakedown-test/shakedown/docs/results.schema.json#1"

// Document is the content of results.json.
type Document struct {
	Schema    string            `json:"schema" doc:"always the id of this schema"`
	Product   string            `json:"product" doc:"name of the product"`
	Version   string            `json:"shakedown" doc:"version of Shakedown that ran"`
	Seed      uint64            `json:"seed" doc:"with which the run can be replayed"`
	Started   time.Time         `json:"started" doc:"wall time of the first job's start"`
	Seconds   float64           `json:"seconds" doc:"wall time from there to the last job's end"`
	Verdict   verdict.Readiness `json:"verdict" doc:"the launch verdict"`
	Because   []string          `json:"because" doc:"the reasons that decided, worst first"`
	Named     []string          `json:"named" doc:"the risks that are taken by launching"`
	Risks     []RiskResult      `json:"risks" doc:"every risk, in a fixed order"`
	Variants  []VariantResult   `json:"variants" doc:"what users have in their hands"`
	Results   []JobResult       `json:"results" doc:"one per check, variant and repetition"`
	Selection string            `json:"selection,omitempty" doc:"the flags that narrowed the run"`
}

// RiskResult is what is known about one risk.
type RiskResult struct {
	ID       string            `json:"id" doc:"first part of its checks' ids"`
	Title    string            `json:"title"`
	State    verdict.State     `json:"state"`
	Excluded string            `json:"excluded,omitempty" doc:"why it is left out"`
	Checks   int               `json:"checks" doc:"that apply, times variants"`
	Decided  int               `json:"decided" doc:"of these, those that passed or failed"`
	Coverage float64           `json:"coverage" doc:"decided by checks, 0 to 1"`
	Worst    evidence.Severity `json:"worst,omitempty" doc:"of the findings that count"`
	Findings int               `json:"findings" doc:"that count"`
}

// VariantResult is a variant of the product.
type VariantResult struct {
	Name     string  `json:"name"`
	Hardware string  `json:"hardware,omitempty"`
	Firmware string  `json:"firmware,omitempty"`
	Share    float64 `json:"share" doc:"of users, 0 to 1"`
}

// JobResult is what became of a check on a variant.
type JobResult struct {
	Check        string           `json:"check" doc:"id of the check"`
	Variant      string           `json:"variant" doc:"empty when the product has one build only"`
	Repeat       int              `json:"repeat" doc:"number of the repetition, from 0"`
	Outcome      evidence.Outcome `json:"outcome"`
	Reason       string           `json:"reason,omitempty" doc:"why it was not run or does not apply"`
	Hint         string           `json:"hint,omitempty" doc:"what would make it run"`
	Seconds      float64          `json:"seconds" doc:"wall time"`
	Findings     []FindingResult  `json:"findings"`
	Measurements []Measured       `json:"measurements"`
	Networks     []Network        `json:"networks,omitempty" doc:"of the check that lets a part live in several"`
	Artefacts    []Artefact       `json:"artefacts,omitempty" doc:"of the check that opens them"`
	Calendar     []Break          `json:"calendar,omitempty" doc:"of the check that looks at when things end: what breaks on which day"`
	Loads        []evidence.Load  `json:"loads,omitempty" doc:"of the checks that put a fleet of devices in front of a target"`
	Dir          string           `json:"dir,omitempty" doc:"folder of the evidence, relative to the run folder"`
}

// Network is how a part fared in one network, over several trials.
type Network struct {
	Profile   string  `json:"profile" doc:"name of the network profile"`
	Title     string  `json:"title"`
	Trials    int     `json:"trials"`
	Successes int     `json:"successes"`
	Low       float64 `json:"low" doc:"of the interval of the rate of success with a confidence of 95 %, 0 to 1"`
	High      float64 `json:"high"`
	Promised  float64 `json:"promised" doc:"rate of success, 0 to 1"`
	Connect   float64 `json:"connect_seconds,omitempty" doc:"median device time to a session"`
	Command   float64 `json:"command_seconds,omitempty" doc:"median device time to the effect of a command"`
	Note      string  `json:"note,omitempty" doc:"since when the times count, or why there were no trials"`
}

// Artefact is a file under test as it was opened.
type Artefact struct {
	Part     string    `json:"part"`
	File     string    `json:"file"`
	Size     int64     `json:"size" doc:"bytes"`
	SHA256   string    `json:"sha256"`
	Opaque   int64     `json:"opaque" doc:"bytes that look encrypted or are packed in an unknown way"`
	Profile  []float64 `json:"profile" doc:"entropy in bits a byte of stretches of equal length"`
	Contents []Content `json:"contents" doc:"what lies in it, in the order of a tree"`
	Left     int       `json:"left_out,omitempty" doc:"contents that are not listed"`
}

// Content is one thing that lies in an artefact.
type Content struct {
	Depth  int      `json:"depth" doc:"0 is the artefact itself"`
	Name   string   `json:"name"`
	Format string   `json:"format,omitempty"`
	About  string   `json:"about,omitempty"`
	Offset int64    `json:"offset" doc:"in what it lies in; -1: it was made from that"`
	Size   int64    `json:"size" doc:"bytes"`
	Files  int      `json:"files,omitempty" doc:"of a file system or archive"`
	Notes  []string `json:"notes,omitempty" doc:"what was odd"`
}

// Break is a day on which something ends.
type Break struct {
	When  time.Time          `json:"when"`
	Kind  evidence.BreakKind `json:"kind"`
	What  string             `json:"what" doc:"what ends, or begins to hold"`
	Where string             `json:"where" doc:"where it lies, or who sends it"`
	Who   string             `json:"who" doc:"for whom it breaks; empty for dates to compare with"`
}

// FindingResult is a way in which a check did not hold.
type FindingResult struct {
	Severity  evidence.Severity `json:"severity"`
	Title     string            `json:"title" doc:"what happened, in one line"`
	Expected  string            `json:"expected"`
	Seen      string            `json:"seen"`
	Since     time.Time         `json:"since" doc:"device time of the first event that shows it"`
	Reproduce string            `json:"reproduce" doc:"a command"`
	Evidence  []EvidenceRef     `json:"evidence"`
	Accepted  string            `json:"accepted,omitempty" doc:"why it does not count"`
}

// EvidenceRef points at events in a file.
type EvidenceRef struct {
	File  string `json:"file" doc:"relative to the run folder"`
	First int    `json:"first" doc:"number of the first event"`
	Last  int    `json:"last" doc:"number of the last event"`
	What  string `json:"what,omitempty" doc:"what is to be seen there"`

	Capture    string `json:"capture,omitempty" doc:"file of packets, relative to the run folder"`
	FirstFrame int    `json:"first_frame,omitempty" doc:"number of the first packet, from 1"`
	LastFrame  int    `json:"last_frame,omitempty" doc:"number of the last packet"`
}

// Measured is a value with its unit.
type Measured struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Limit string  `json:"limit,omitempty" doc:"such as <= 45 s"`
}

// Results is the document of a run, for evidence.Run.Finish and JSON.
func Results(in Input) Document {
	started, seconds := in.span()
	d := Document{
		Schema: SchemaID, Product: in.Plan.Product, Version: in.Plan.Version, Seed: in.Plan.Seed, Selection: in.Plan.Selection,
		Started: started, Seconds: seconds,
		Verdict: in.Verdict.Readiness, Because: orEmpty(in.Verdict.Because), Named: orEmpty(in.Verdict.Named),
		Risks: []RiskResult{}, Variants: []VariantResult{}, Results: []JobResult{},
	}
	for _, r := range in.Verdict.Risks {
		d.Risks = append(d.Risks, RiskResult{
			ID: r.ID, Title: r.Title, State: r.State, Excluded: r.Excluded, Checks: r.Checks, Decided: r.Decided,
			Coverage: r.Coverage(), Worst: r.Worst, Findings: r.Findings,
		})
	}
	for _, v := range in.Plan.Variants {
		d.Variants = append(d.Variants, VariantResult(v))
	}
	for _, r := range in.Results {
		d.Results = append(d.Results, jobResult(r))
	}
	return d
}

func jobResult(r evidence.Result) JobResult {
	j := JobResult{
		Check: r.Check, Variant: r.Variant, Repeat: r.Repeat, Outcome: r.Outcome, Reason: r.Reason, Hint: r.Hint,
		Seconds: r.Seconds, Dir: r.Dir, Findings: []FindingResult{}, Measurements: []Measured{},
	}
	for _, f := range r.Findings {
		out := FindingResult{
			Severity: f.Severity, Title: f.Title, Expected: f.Expected, Seen: f.Seen, Since: f.Since,
			Reproduce: f.Reproduce, Accepted: f.Accepted, Evidence: []EvidenceRef{},
		}
		for _, e := range f.Evidence {
			out.Evidence = append(out.Evidence, EvidenceRef(e))
		}
		j.Findings = append(j.Findings, out)
	}
	for _, a := range r.Artefacts {
		out := Artefact{Part: a.Part, File: a.File, Size: a.Size, SHA256: a.SHA256, Opaque: a.Opaque, Profile: a.Profile, Contents: []Content{}, Left: a.Left}
		for _, c := range a.Lines {
			out.Contents = append(out.Contents, Content(c))
		}
		j.Artefacts = append(j.Artefacts, out)
	}
	for _, b := range r.Calendar {
		j.Calendar = append(j.Calendar, Break(b))
	}
	for _, n := range r.Networks {
		j.Networks = append(j.Networks, Network(n))
	}
	for _, l := range r.Loads {
		l.Points, l.Latencies, l.Errors, l.Answers, l.Limits = orEmpty(l.Points), orEmpty(l.Latencies), orEmpty(l.Errors), orEmpty(l.Answers), orEmpty(l.Limits)
		j.Loads = append(j.Loads, l)
	}
	for _, m := range r.Measurements {
		j.Measurements = append(j.Measurements, Measured(m))
	}
	return j
}

// orEmpty makes an absent list an empty one, so that readers need not tell null from [].
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// JSON writes the Document of the run.
func JSON(w io.Writer, in Input) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(Results(in))
}
