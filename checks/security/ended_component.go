package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/advisories"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// EndedComponent looks for components that nobody mends any more.
var EndedComponent = &check.Check{
	ID:       "security.ended-component",
	Title:    "Has no component that its project has given up",
	Why:      "The next vulnerability in it gets no fix. Who promised support for years then has to mend somebody else's software, or to swap it in the field.",
	Pass:     "the series of every component is maintained on the day of launch, and until the support of the product ends",
	Fix:      "Move to a series that lives longer than the support, or plan the move: the update that brings it must be tested in time.",
	Severity: check.Major,

	Requirements: []string{"CRA:II.2", "EN303645:5.3-8"},
	Rows:         []string{"FW-EOL"},
	Sources:      []string{"endoflife.date and announcements of the projects, row by row in the bundled table; newer ones by data:", "our grading: major when it has ended or ends before launch, minor when it ends during the support; packages are judged by the distribution that keeps them"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: ofComponents(func(f *artefact.Facts, l *advisories.Lists, t *check.T) (int, []check.Finding) {
		launch := t.Clock.Now()
		if t.Product.Launch.After(launch) {
			launch = t.Product.Launch.Time
		}
		return judgeEnded(f.Components, l, launch, t.Product.Declared.SupportUntil.Time)
	}),
}

func judgeEnded(all []artefact.Component, l *advisories.Lists, launch, support time.Time) (looked int, findings []check.Finding) {
	for _, c := range all {
		cycle, known := l.Life(c.Component)
		if !known || distributed(c.Component) && c.Distro != "cip" {
			continue
		}
		looked++
		f := check.Finding{Seen: fmt.Sprintf("%s; the series %s ", whereabouts(c), cycle.Name)}
		day := cycle.End.Format(time.DateOnly)
		switch {
		case cycle.Ended:
			f.Title, f.Seen = fmt.Sprintf("Has %s, which its project has given up", labelled(c)), f.Seen+"has ended"
		case cycle.End.IsZero():
			continue
		case cycle.End.Before(launch):
			f.Title, f.Seen = fmt.Sprintf("Has %s, which its project has given up on the day of launch", labelled(c)), f.Seen+"ends on "+day
		case cycle.End.Before(support):
			f.Title, f.Seen = fmt.Sprintf("Has %s, which its project gives up before the support ends", labelled(c)), fmt.Sprintf("%sends on %s, and the support on %s", f.Seen, day, support.Format(time.DateOnly))
			f.Severity = check.Minor
		default:
			continue
		}
		f.Seen += " (" + cycle.Source + ")"
		if c.Packaged() && f.Severity == "" {
			f.Severity = check.Minor
			f.Seen += patched(c.Component)
		}
		findings = append(findings, f)
	}
	return looked, findings
}
