package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
	seconds  float64
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitDetail `xml:"failure,omitempty"`
	Skipped *junitDetail `xml:"skipped,omitempty"`
}

type junitDetail struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes one suite per risk and one case per job, named check@variant. A job that could not be run, does not apply, or has only
// accepted findings is skipped, with its reason: the format has no word for "unknown", and a CI must not show it as passed.
func JUnit(w io.Writer, in Input) error {
	suites := junitSuites{Name: in.Plan.Product}
	at := map[string]int{}
	total := 0.0
	for _, r := range in.Results {
		risk, _, _ := strings.Cut(r.Check, ".")
		i, ok := at[risk]
		if !ok {
			i = len(suites.Suites)
			at[risk] = i
			suites.Suites = append(suites.Suites, junitSuite{Name: risk})
		}
		c := junitOf(risk, r)
		s := &suites.Suites[i]
		s.Cases = append(s.Cases, c)
		s.Tests++
		suites.Tests++
		if c.Failure != nil {
			s.Failures++
			suites.Failures++
		}
		if c.Skipped != nil {
			s.Skipped++
			suites.Skipped++
		}
		s.seconds += r.Seconds
		s.Time = seconds(s.seconds)
		total += r.Seconds
	}
	suites.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suites); err != nil {
		return fmt.Errorf("encode JUnit: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitOf(risk string, r evidence.Result) junitCase {
	c := junitCase{Class: risk, Name: jobName(r), Time: seconds(r.Seconds)}
	var counts, accepted []evidence.Finding
	for _, f := range r.Findings {
		if f.Accepted == "" {
			counts = append(counts, f)
		} else {
			accepted = append(accepted, f)
		}
	}
	switch {
	case len(counts) > 0:
		c.Failure = &junitDetail{Message: counts[0].Title, Type: string(worst(counts)), Text: junitText(counts)}
	case len(accepted) > 0:
		c.Skipped = &junitDetail{Message: "accepted: " + accepted[0].Accepted, Text: junitText(accepted)}
	case r.Outcome == evidence.Fail:
		c.Failure = &junitDetail{Message: "failed without saying how"}
	case r.Outcome != evidence.Pass:
		c.Skipped = &junitDetail{Message: string(r.Outcome) + ": " + r.Reason, Text: r.Hint}
	}
	return c
}

func junitText(findings []evidence.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "\n%s: %s\nexpected: %s\nseen: %s\nreproduce: %s\n", f.Severity, f.Title, f.Expected, f.Seen, f.Reproduce)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "evidence: %s events %d to %d %s\n", e.File, e.First, e.Last, e.What)
			if e.Capture != "" {
				fmt.Fprintf(&b, "evidence: %s\n", framesText(e))
			}
		}
	}
	return b.String()
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// jobName is "check@variant", and "check@variant.2" for the third repetition.
func jobName(r evidence.Result) string {
	name := r.Check
	if r.Variant != "" {
		name += "@" + r.Variant
	}
	if r.Repeat > 0 {
		name += fmt.Sprintf(".%d", r.Repeat)
	}
	return name
}
