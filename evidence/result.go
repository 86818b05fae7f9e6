package evidence

import "time"

// Severity grades a finding.
type Severity string

// The severities, worst first. There are no warnings and no scores.
const (
	Blocker Severity = "blocker" // customers lose the product, their safety or their data
	Major   Severity = "major"   // a function fails for many, or for few badly
	Minor   Severity = "minor"   // an annoyance, or a standard broken without effect that was seen
	Info    Severity = "info"    // worth knowing
)

// Outcome is how one check on one variant ended.
type Outcome string

// The outcomes. NotApplicable and NotRun always come with a reason.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NotApplicable Outcome = "not-applicable" // the product does not have what the check is about
	NotRun        Outcome = "not-run"        // it could not be carried out: nothing is known
)

// Finding is a way in which a check did not hold.
type Finding struct {
	Severity  Severity  `json:"severity"`
	Title     string    `json:"title"`    // what happened, in one line
	Expected  string    `json:"expected"` // what should have been seen
	Seen      string    `json:"seen"`     // what was seen
	Since     time.Time `json:"since"`    // device time of the first event that shows it
	Reproduce string    `json:"reproduce"`
	Evidence  []Ref     `json:"evidence"`
	Accepted  string    `json:"accepted,omitempty"` // the reason of an accepted deviation that covers it
}

// Ref points into the evidence of a job.
type Ref struct {
	File  string `json:"file"`           // relative to the run folder
	First int    `json:"first"`          // number of the first event
	Last  int    `json:"last"`           // number of the last event
	What  string `json:"what,omitempty"` // what is to be seen there

	// Capture is the file of packets, relative to the run folder, with the numbers of the first and the last frame of that time, from 1.
	// It is empty where nothing was captured then.
	Capture    string `json:"capture,omitempty"`
	FirstFrame int    `json:"first_frame,omitempty"`
	LastFrame  int    `json:"last_frame,omitempty"`
}

// Framed is the reference with the frames of the capture that were seen between its events. Events are those of the job.
func (r Ref) Framed(capture string, events []Event) Ref {
	if r.First < 0 || r.Last < r.First || r.Last >= len(events) {
		return r
	}
	last := events[r.Last].Frame
	if last == 0 {
		return r
	}
	first := 1
	if r.First > 0 {
		first = events[r.First-1].Frame + 1
	}
	r.Capture, r.FirstFrame, r.LastFrame = capture, max(1, min(first, events[r.First].Frame, last)), last
	return r
}

// Measurement is a value with its unit and, where there is one, its declared limit.
type Measurement struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Limit string  `json:"limit,omitempty"` // such as "<= 45 s"
}

// Lived is how a part fared in one network, over several trials. Rates are from 0 to 1.
type Lived struct {
	Profile   string  `json:"profile"`
	Title     string  `json:"title"` // of the network
	Trials    int     `json:"trials"`
	Successes int     `json:"successes"`
	Low       float64 `json:"low"`  // of the interval in which the rate of success lies
	High      float64 `json:"high"` // with a confidence of 95 %
	Promised  float64 `json:"promised"`
	Connect   float64 `json:"connect_seconds,omitempty"` // median time to a session, device time; 0: none came about
	Command   float64 `json:"command_seconds,omitempty"` // median time to the effect of a command
	Note      string  `json:"note,omitempty"`            // since when the times count, or why there were no trials
}

// Result is what became of one job: a check on a variant.
type Result struct {
	Check        string        `json:"check"`
	Variant      string        `json:"variant"`
	Repeat       int           `json:"repeat,omitempty"` // from 0, with --repeat
	Outcome      Outcome       `json:"outcome"`
	Reason       string        `json:"reason,omitempty"` // of not-applicable and not-run
	Hint         string        `json:"hint,omitempty"`   // what would make it run
	Started      time.Time     `json:"started"`          // wall time
	Seconds      float64       `json:"seconds"`          // wall time that it took
	Findings     []Finding     `json:"findings,omitempty"`
	Measurements []Measurement `json:"measurements,omitempty"`
	Networks     []Lived       `json:"networks,omitempty"`  // of the check that lets a part live in several
	Artefacts    []Opened      `json:"artefacts,omitempty"` // of the check that opens them
	Calendar     []Break       `json:"calendar,omitempty"`  // of the check that looks at when things end
	Loads        []Load        `json:"loads,omitempty"`     // of the checks that put a fleet in front of the target
	Dir          string        `json:"dir,omitempty"`       // the job's folder, relative to the run folder
}

// CheckInfo is the metadata of a check as it stood when the run was planned, so that a report needs nothing but the run folder.
type CheckInfo struct {
	ID           string     `json:"id"`
	Title        string     `json:"title"`
	Risk         string     `json:"risk"`
	Severity     Severity   `json:"severity"`
	Why          string     `json:"why"`
	Pass         string     `json:"pass"`
	Fix          string     `json:"fix"`
	Requirements []string   `json:"requirements"`
	Incidents    []Incident `json:"incidents"`
	Sources      []string   `json:"sources"`
	Needs        []string   `json:"needs"` // in plain words
	Impact       string     `json:"impact"`
	Typical      float64    `json:"typical_seconds"` // device time
}

// Incident is a documented failure in the field that looked like what a check finds.
type Incident struct {
	ID      string `json:"id"`
	Product string `json:"product"` // and when
	Broke   string `json:"broke"`
	Source  string `json:"source"`
}

// VariantInfo is a variant as planned.
type VariantInfo struct {
	Name     string  `json:"name"`
	Hardware string  `json:"hardware,omitempty"`
	Firmware string  `json:"firmware,omitempty"`
	Share    float64 `json:"share"` // of users, 0..1
}

// RiskInfo is one of the twelve risks.
type RiskInfo struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Excluded string `json:"excluded,omitempty"` // the reason, when the product file leaves it out
}

// Job is one check on one variant, as planned. Reason and Hint are set when it cannot run.
type Job struct {
	Check   string  `json:"check"`
	Variant string  `json:"variant"`
	Repeat  int     `json:"repeat,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"` // NotApplicable or NotRun when it is known beforehand
	Reason  string  `json:"reason,omitempty"`
	Hint    string  `json:"hint,omitempty"`
}

// Acceptance is an accepted deviation of the product file, as planned.
type Acceptance struct {
	Check   string    `json:"check"`
	Variant string    `json:"variant,omitempty"`
	Reason  string    `json:"reason"`
	Until   time.Time `json:"until"`
}

// Statement is what the maker states on a requirement.
type Statement struct {
	Requirement string `json:"requirement"`
	Text        string `json:"text"`
}

// Plan is what a run set out to do. It is written before the first job starts.
type Plan struct {
	Product    string        `json:"product"`
	File       string        `json:"file,omitempty"` // the product file, empty for the bundled reference product
	Command    string        `json:"command"`        // that begins such a run: "shakedown run product.yaml"
	Version    string        `json:"shakedown"`      // of Shakedown
	Seed       uint64        `json:"seed"`
	Created    time.Time     `json:"created"`
	Risks      []RiskInfo    `json:"risks"`    // all twelve, in order
	Variants   []VariantInfo `json:"variants"` // at least one
	Checks     []CheckInfo   `json:"checks"`   // of every check that the binary has
	Jobs       []Job         `json:"jobs"`
	Accepted   []Acceptance  `json:"accepted,omitempty"`
	StandIns   []string      `json:"stand_ins,omitempty"`  // names of the parts that Shakedown plays
	Undeclared []string      `json:"undeclared,omitempty"` // values that checks need and the product file does not declare
	States     []Statement   `json:"states,omitempty"`     // of the maker, on requirements
	Selection  string        `json:"selection,omitempty"`  // the --only, --skip, --risk that narrowed it

	// What --resume needs to go on in the same way.
	Timeout     float64  `json:"timeout_seconds,omitempty"` // device time for each check, instead of its own limit
	Defects     []string `json:"defects,omitempty"`         // planted in the reference product
	KeepSecrets bool     `json:"keep_secrets,omitempty"`    // nothing is blanked in what is written
	Schedule    string   `json:"schedule,omitempty"`        // of network faults, instead of those that checks draw
	Profiles    []string `json:"profiles,omitempty"`        // network profiles, instead of those that the product file names
}
