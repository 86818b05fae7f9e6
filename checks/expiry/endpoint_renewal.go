package expiry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// EndpointRenewal looks at how long the certificates of endpoints still last.
var EndpointRenewal = &check.Check{
	ID:       "expiry.endpoint-renewal",
	Title:    "Renews its certificate long before it ends",
	Why:      "A certificate that nobody renewed in time is the most common way in which a cloud disappears, for all devices at once.",
	Pass:     "the certificate of each endpoint lasts longer than 30 % of its lifetime, or than 30 days where that is less",
	Fix:      "Let a program renew it, at two thirds of its lifetime, and alert when that fails.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-008"},
	Rows:         []string{"expiry.endpoint.not_after"},
	Sources:      []string{"RFC 8555 names no time; usual clients of it renew at one third of the lifetime, 30 days of 90", "CA/Browser Forum ballot SC-081v3 (lifetimes shrink to 47 days)"},

	Needs:   check.Needs{Real: product.Endpoint},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: ofEndpoints("endpoints", func(e judge.Endpoint, t *check.T) []check.Finding { return judgeEndpointRenewal(e, t.Clock.Now()) }),
}

// ofEndpoints is the Run of a check that judges each endpoint by itself.
func ofEndpoints(subjects string, judgeOne func(e judge.Endpoint, t *check.T) []check.Finding) func(context.Context, *check.T) error {
	return func(_ context.Context, t *check.T) error {
		endpoints := judge.Endpoints(t.Artefacts)
		for _, e := range endpoints {
			t.Record("%s sends %d certificates", e.Name, len(e.Sent))
			t.Find(judgeOne(e, t)...)
		}
		return t.LookedAt(len(endpoints), subjects)
	}
}

// judgeEndpointRenewal finds a certificate that is past its end or near it.
func judgeEndpointRenewal(e judge.Endpoint, now time.Time) []check.Finding {
	c := e.Sent[0]
	lifetime, left := c.NotAfter.Sub(c.NotBefore), c.NotAfter.Sub(now)
	seen := fmt.Sprintf("the certificate %s of %s lasts from %s to %s", name(c), e.Name, judge.Day(c.NotBefore), judge.Day(c.NotAfter))
	switch {
	case left < 0:
		return []check.Finding{{Severity: check.Blocker, Title: "Sends a certificate that has expired", Seen: seen}}
	case left < min(lifetime*3/10, 30*24*time.Hour):
		return []check.Finding{{Title: "Has not renewed its certificate, which ends soon", Seen: fmt.Sprintf("%s: %.0f days are left", seen, left.Hours()/24)}}
	}
	return nil
}
