// Package report renders a judged run: text, HTML, JSON, JUnit, SARIF, and the comparison of two runs. It is pure: what it is given
// and nothing else, no clock among it, decides every byte that it writes. It knows the run folder and the verdict, and nothing of
// how either came about.
package report

import (
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// Input is a judged run.
type Input struct {
	Plan      evidence.Plan
	Results   []evidence.Result // with accepted findings marked; see verdict.Apply
	Verdict   verdict.Verdict
	Events    func(rel string) ([]evidence.Event, error) // reads a file of events, relative to the run folder; nil when there is none
	Generated time.Time                                  // wall time that is printed as the report's
}

// span is when the run's first job started, and how many seconds later the last one ended.
func (in Input) span() (started time.Time, seconds float64) {
	started = in.Plan.Created
	first, last := time.Time{}, time.Time{}
	for _, r := range in.Results {
		if r.Started.IsZero() {
			continue
		}
		if first.IsZero() || r.Started.Before(first) {
			first = r.Started
		}
		if end := r.Started.Add(time.Duration(r.Seconds * float64(time.Second))); end.After(last) {
			last = end
		}
	}
	if !first.IsZero() {
		started, seconds = first, last.Sub(first).Seconds()
	}
	return started, seconds
}

// severities, worst first.
var severities = []evidence.Severity{evidence.Blocker, evidence.Major, evidence.Minor, evidence.Info}
