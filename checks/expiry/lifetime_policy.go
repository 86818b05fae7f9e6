package expiry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// LifetimePolicy holds the lifetime of public certificates against what public authorities may issue.
var LifetimePolicy = &check.Check{
	ID:       "expiry.lifetime-policy",
	Title:    "Has a public certificate of a lifetime that clients accept",
	Why:      "Public certificates may last 200 days since March 2026, 100 from March 2027 and 47 from March 2029. Clients refuse longer ones, and what is renewed by hand will be forgotten.",
	Pass:     "the certificate of each public endpoint lasts no longer than was allowed on the day on which it began: 398 days, since 2026-03-15 200, from 2027-03-15 on 100, from 2029-03-15 on 47",
	Fix:      "Have it issued anew, by a program (ACME), and let no firmware or app pin it.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Rows:         []string{"expiry.lifetime.policy"},
	Sources:      []string{"CA/Browser Forum ballot SC-081v3 (April 2025), Baseline Requirements 6.3.2"},

	Needs:   check.Needs{Real: product.Endpoint},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: lifetimePolicy,
}

func lifetimePolicy(_ context.Context, t *check.T) error {
	looked := 0
	for _, e := range judge.Endpoints(t.Artefacts) {
		if !trust.Public(e.Sent[0]) {
			t.Record("the certificate of %s names no policy of public authorities", e.Name)
			continue
		}
		looked++
		t.Record("%s has a public certificate", e.Name)
		t.Find(judgeLifetime(e)...)
	}
	return t.LookedAt(looked, "endpoints with a public certificate")
}

// lifetimes is how many days a public certificate may last that begins on a day or later.
var lifetimes = []struct {
	from time.Time
	days int
}{
	{time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC), 398},
	{time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC), 200},
	{time.Date(2027, 3, 15, 0, 0, 0, 0, time.UTC), 100},
	{time.Date(2029, 3, 15, 0, 0, 0, 0, time.UTC), 47},
}

// judgeLifetime finds a certificate that lasts more than a day longer than was allowed.
func judgeLifetime(e judge.Endpoint) []check.Finding {
	c := e.Sent[0]
	limit := 0
	for _, l := range lifetimes {
		if !c.NotBefore.Before(l.from) {
			limit = l.days
		}
	}
	const day = 24 * time.Hour
	lasts := c.NotAfter.Sub(c.NotBefore)
	if limit == 0 || lasts <= time.Duration(limit+1)*day {
		return nil
	}
	return []check.Finding{{
		Title: "Has a public certificate that lasts longer than is allowed",
		Seen: fmt.Sprintf("the certificate %s of %s lasts %d days, from %s to %s; %d were allowed when it began",
			name(c), e.Name, lasts/day, judge.Day(c.NotBefore), judge.Day(c.NotAfter), limit),
	}}
}
