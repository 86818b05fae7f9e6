package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

const (
	slowAnswer  = 30 * time.Second       // so long takes a cloud in trouble
	slowTries   = 4                      // requests that are looked at
	breathSpace = 800 * time.Millisecond // less than this between the end of a request and the next one is no pause
)

// CloudBrownout is a cloud that is there and does not manage: it takes every request, and answers 503 after 30 s.
var CloudBrownout = &check.Check{
	ID:    "fault.cloud-brownout",
	Title: "Eases off a cloud that answers late",
	Why: "A cloud in trouble takes connections and answers late. Clients that time out and ask again at once, or beside the request " +
		"that is still open, multiply the load until nothing works any more.",
	Pass: "over 4 requests of which each is answered with 503 after 30 s, at most 2 are open at once, and at least 1 s lies between the end of one and " +
		"the next; a document takes effect afterwards",
	Fix:          "one request at a time, a time-out as a failure like any other, and a growing pause with chance in it after each",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-037", "INC-044"},
	Rows:         []string{"fault.cloud.brownout"},
	Sources:      []string{"the limits are ours; what the user sees of it is not looked at; for 503 without delay see fault.http-status-5xx, for Retry-After fault.http-retry-after"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        time.Hour,
	Run:          cloudBrownout,
}

func cloudBrownout(ctx context.Context, t *check.T) error {
	late := t.Answered(func(*web.Request) web.Response {
		r := web.Problem(503)
		r.Delay = slowAnswer
		return r
	})
	within := slowTries * (2*slowAnswer + t.Device.Cap()/4)
	return t.OfferAll(ctx, []check.Offer{{Name: "answers that come after 30 s", Begin: late, Requests: slowTries, Within: within}}, func(f check.Offered) []check.Finding {
		tries, most := requests(f.Events, f.Doc.Path)
		t.Record("pauses between requests: %s; open at once: %d", seconds(testbed.Gaps(tries)), most)
		return judgeBrownout(tries, most, f)
	})
}

func judgeBrownout(tries []testbed.Attempt, most int, f check.Offered) []check.Finding {
	quick := 0
	gaps := testbed.Gaps(tries)
	for _, g := range gaps {
		if g < breathSpace {
			quick++
		}
	}
	switch {
	case most > 2:
		return []check.Finding{{
			Title: "Piles up requests on a cloud that answers late", Expected: "one request at a time",
			Seen: fmt.Sprintf("%d were open at once", most), Evidence: f.Range(),
		}}
	case quick > len(gaps)/2:
		return []check.Finding{{
			Title: "Asks a cloud that answers late again without a pause", Expected: "at least 1 s between the end of a request and the next",
			Seen: fmt.Sprintf("pauses of %s", seconds(gaps)), Evidence: f.Range(),
		}}
	}
	return nil
}
