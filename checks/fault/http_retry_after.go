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

// leastRetryAfter is the shortest wait that is asked for. It must be longer than what the device waits by itself.
const leastRetryAfter = 20 * time.Second

// HTTPRetryAfter asks the device to come later.
var HTTPRetryAfter = &check.Check{
	ID:    "fault.http-retry-after",
	Title: "Comes no sooner than Retry-After says",
	Why: "Retry-After is how an overloaded API spreads its clients. A fleet that does not look at it undoes the measure, " +
		"and is blocked by the rate limiter for hours.",
	Pass: "after 429 with Retry-After in seconds, and after 503 with a date, no request for the document comes before that time; " +
		"it is three times the declared every, at least 20 s; afterwards documents take effect",
	Fix:          "read Retry-After, both forms of it, and take the later of that and your own back-off; measure a date from the Date of the answer",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"http.status.429-503"},
	Sources:      []string{"RFC 9110 section 10.2.3", "RFC 6585 section 4"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run:          httpRetryAfter,
}

func httpRetryAfter(ctx context.Context, t *check.T) error {
	after := max(leastRetryAfter, 3*time.Duration(t.Device.HTTP().Every)).Round(time.Second)
	once := func(do web.Answer) func(testbed.Document) (func(), error) {
		return func(doc testbed.Document) (func(), error) {
			return t.Web.When(web.Rule{Path: doc.Path, Times: 1, Do: do}), nil
		}
	}
	within := after + t.Device.Cap() + t.Device.Every()
	return t.OfferAll(ctx, []check.Offer{
		{Name: "429 with Retry-After in seconds", Within: within, Begin: once(func(*web.Request) web.Response {
			return web.Later(429, int(after.Seconds()))
		})},
		{Name: "503 with a date in Retry-After", Within: within, Begin: once(func(*web.Request) web.Response {
			now := t.Clock.Now()
			return web.LaterThan(503, now, now.Add(after))
		})},
	}, func(f check.Offered) []check.Finding { return judgeRetryAfter(after, f) })
}

func judgeRetryAfter(after time.Duration, f check.Offered) []check.Finding {
	if len(f.Fetches) < 2 {
		return nil
	}
	// Dates are whole seconds, and clocks are not the same to the last of them.
	if gap := f.Fetches[1].At.Sub(f.Fetches[0].At); gap < after-2*time.Second {
		return []check.Finding{{
			Title: "Comes sooner than Retry-After says, with " + f.Name, Expected: fmt.Sprintf("no request for %.0f s", after.Seconds()),
			Seen: fmt.Sprintf("the next came after %.1f s", gap.Seconds()), Evidence: f.Range(),
		}}
	}
	return nil
}
