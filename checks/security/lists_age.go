package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/advisories"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ListsAge tells how old the lists are that components are held against.
var ListsAge = &check.Check{
	ID:       "security.lists-age",
	Title:    "Is held against lists of vulnerabilities that are fresh",
	Why:      "Vulnerabilities become known every day. An old list finds nothing new, and its silence looks like safety.",
	Pass:     "the lists of what is exploited and of what has ended are at most 90 days old",
	Fix:      "Give a folder with newer ones: data: in the product file, or --data. It takes the catalogue of CISA, files of endoflife.date and entries of OSV.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.2-3"},
	Rows:         []string{"FW-CVE-KEV"},
	Sources:      []string{"our choice: information from 90 days on, minor from a year on"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: ofComponents(func(f *artefact.Facts, l *advisories.Lists, t *check.T) (int, []check.Finding) {
		if len(f.Components) == 0 {
			return 0, nil
		}
		now := t.Clock.Now()
		for name, day := range map[string]time.Time{"exploited vulnerabilities": l.ExploitedAt, "ends of life": l.LifetimesAt} {
			t.Measure("age of the list of "+name+" for "+f.File, float64(int(now.Sub(day).Hours()/24)), "days", "<= 90 days")
		}
		return len(f.Components), judgeListsAge(l, now)
	}),
}

func judgeListsAge(l *advisories.Lists, now time.Time) (findings []check.Finding) {
	const day = 24 * time.Hour
	for _, list := range []struct {
		name string
		at   time.Time
	}{{"exploited vulnerabilities", l.ExploitedAt}, {"ends of life", l.LifetimesAt}} {
		age := now.Sub(list.at)
		if age <= 90*day {
			continue
		}
		f := check.Finding{
			Title: fmt.Sprintf("Was held against a list of %s that is %d days old", list.name, age/day),
			Seen:  fmt.Sprintf("the newest list of %s is of %s", list.name, list.at.Format(time.DateOnly)),
		}
		if age > 365*day {
			f.Severity = check.Minor
		}
		findings = append(findings, f)
	}
	return findings
}
