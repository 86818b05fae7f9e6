package expiry

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// ChainEndedMember looks for certificates behind a server's own that have ended.
var ChainEndedMember = &check.Check{
	ID:       "expiry.chain-ended-member",
	Title:    "Sends no expired certificate in its chain",
	Why:      "New clients find a way around an expired certificate in the chain, so nobody notices; old ones in the field stop there and go offline.",
	Pass:     "every certificate that the server sends behind its own is within its dates",
	Fix:      "Take the expired certificate out of the server's chain file, unless devices that do not look at the dates of roots need it.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-009", "INC-037"},
	Rows:         []string{"expiry.chain.expired_member_sent"},
	Sources:      []string{"RFC 5280 section 6.1.3 (a)(2)", "field reports of 30 May 2020 (AddTrust)"},

	Needs:   check.Needs{Real: product.Endpoint},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: ofEndpoints("endpoints", func(e judge.Endpoint, t *check.T) []check.Finding { return judgeEndedMember(e, t.Clock.Now()) }),
}

// judgeEndedMember finds what has ended behind the first certificate.
func judgeEndedMember(e judge.Endpoint, now time.Time) (findings []check.Finding) {
	for i, c := range e.Sent {
		if i > 0 && now.After(c.NotAfter) {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Sends the expired certificate %s in its chain", name(c)),
				Seen:  fmt.Sprintf("it is number %d of %d that %s sends, and ended on %s", i+1, len(e.Sent), e.Name, judge.Day(c.NotAfter)),
			})
		}
	}
	return findings
}
