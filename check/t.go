package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/testbed"
)

// T is what a check has while it runs: the testbed, whose fields are its parts, links and stand-ins, and the means to tell what it
// saw. All times are device time, by t.Clock. Whatever is done to the world through t.Impair and t.Undo ends with the check.
type T struct {
	*testbed.Bed
	Schedule schedule.Schedule // of network faults, as the user gave it; nil: draw one
	Profiles []string          // network profiles, as the user named them; nil: those of the product file
	Shrink   int               // replays in which a smaller one that still fails may be looked for

	check        *Check
	reproduce    string
	progress     func(string)
	findings     []Finding
	measurements []Measurement
	networks     []evidence.Lived
	more         int // findings that are not kept
	artefacts    []evidence.Opened
	breaks       []evidence.Break
	loads        []evidence.Load
}

// Step says, in the present tense, what the check does now.
func (t *T) Step(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.Log.Add(evidence.Event{Kind: evidence.Step, Text: text})
	t.progress(text)
}

// Record notes a fact for the report.
func (t *T) Record(format string, args ...any) {
	t.Log.Add(evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf(format, args...)})
}

// Measure notes a value with its unit; limit says what was promised, such as "<= 45 s", and may be empty.
func (t *T) Measure(name string, value float64, unit, limit string) {
	t.measurements = append(t.measurements, Measurement{Name: name, Value: value, Unit: unit, Limit: limit})
}

// Lived notes how the part fared in a network.
func (t *T) Lived(l evidence.Lived) { t.networks = append(t.networks, l) }

// Opened notes what an artefact holds.
func (t *T) Opened(o evidence.Opened) { t.artefacts = append(t.artefacts, o) }

// Loaded notes what a fleet measured.
func (t *T) Loaded(l evidence.Load) { t.loads = append(t.loads, l) }

// Breaks notes days on which things end.
func (t *T) Breaks(list ...evidence.Break) { t.breaks = append(t.breaks, list...) }

// MeasureTime notes a span of device time in seconds.
func (t *T) MeasureTime(name string, d time.Duration, limit string) {
	t.Measure(name, d.Seconds(), "s", limit)
}

// Find hands over findings. What a judge leaves empty is filled in: the severity of the check, how to reproduce, when it was first
// seen, and, as evidence, all that was recorded. A schedule of network faults, which Replay writes down, goes into how to reproduce.
func (t *T) Find(findings ...Finding) {
	for _, f := range findings {
		if len(t.findings) >= mostFindings {
			t.more++
			continue
		}
		f.Title, f.Seen = shortened(f.Title, 400), shortened(f.Seen, 2000)
		if f.Severity == "" {
			f.Severity = t.check.Severity
		}
		if f.Expected == "" {
			f.Expected = t.check.Pass
		}
		f.Reproduce = t.reproduce + f.Reproduce
		if len(f.Evidence) == 0 {
			f.Evidence = []evidence.Ref{{Last: t.Log.Len() - 1}}
		}
		events := t.Log.Since(0)
		for i := range f.Evidence {
			f.Evidence[i].Last = min(f.Evidence[i].Last, len(events)-1)
			if first := f.Evidence[i].First; f.Since.IsZero() && first >= 0 && first < len(events) {
				f.Since = events[first].At
			}
		}
		t.findings = append(t.findings, f)
	}
}

// mostFindings of a check are kept: a product in which there are more is not read to the end by anybody.
const mostFindings = 1000

// shortened is a text of at most so many bytes.
func shortened(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Range is the evidence from event first to event last, as a Ref for a Finding.
func Range(first, last int, what string) []evidence.Ref {
	return []evidence.Ref{{First: first, Last: last, What: what}}
}

// Replay is what a judge puts into Finding.Reproduce when the finding rests on this schedule of network faults.
func Replay(s schedule.Schedule) string { return fmt.Sprintf(" --schedule %q", s) }
