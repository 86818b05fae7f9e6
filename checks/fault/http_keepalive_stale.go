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

// HTTPKeepaliveStale closes a kept connection just when the device sends its next request.
var HTTPKeepaliveStale = &check.Check{
	ID:    "fault.http-keepalive-stale",
	Title: "Repeats a request on a kept connection that the server has closed",
	Why: "Servers close idle connections whenever they like, often just when the next request is on its way. Clients that take that for " +
		"a failure lose the request, or are offline until the next turn.",
	Pass: "the request is sent again on a new connection, and the document takes effect within the longer of half the declared every and 2.5 s " +
		"(later: minor; not at all: major)",
	Fix:      "send a GET again, once and at once, when a connection that was used before ends without a byte of an answer (RFC 9112 section 9.3.1)",
	Severity: check.Major,
	Rows:     []string{"http.keepalive-stale"},
	Sources:  []string{"RFC 9112 section 9.3.1", "RFC 9110 section 9.2.2"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:   check.Disturbs,
	Typical:  30 * time.Second,
	Limit:    time.Hour,
	Run:      httpKeepaliveStale,
}

func httpKeepaliveStale(ctx context.Context, t *check.T) error {
	kept := func(q *web.Request) bool { return q.Nth > 1 }
	dropped := func(doc testbed.Document) (func(), error) {
		return t.Web.When(web.Rule{Path: doc.Path, Match: kept, Times: 1, Do: func(*web.Request) web.Response { return web.Response{} }}), nil
	}
	limit := max(time.Duration(t.Device.HTTP().Every)/2, 2500*time.Millisecond)
	fresh := false
	err := t.OfferAll(ctx, []check.Offer{{Name: "the close of a kept connection", Begin: dropped, Requests: 4}}, func(f check.Offered) []check.Finding {
		fresh = len(f.Fetches) > 0 && f.Fetches[0].Nth == 1
		return judgeStale(limit, f)
	})
	if err == nil && fresh {
		return check.NotApplicable("it makes a new connection for every request")
	}
	return err
}

func judgeStale(limit time.Duration, f check.Offered) []check.Finding {
	switch {
	case len(f.Fetches) == 0 || f.Fetches[0].Nth == 1:
		return nil
	case !f.Took:
		return []check.Finding{{
			Title: "Loses a request on a kept connection that is closed", Expected: "the request is sent again, and the document takes effect",
			Seen: fmt.Sprintf("%d requests came, and the document took no effect", len(f.Fetches)), Evidence: f.Range(),
		}}
	case f.After > limit:
		return []check.Finding{{
			Severity: check.Minor, Title: "Leaves a turn out when a kept connection is closed",
			Expected: fmt.Sprintf("the request is sent again within %.1f s", limit.Seconds()),
			Seen:     fmt.Sprintf("the document took effect %.1f s after the request that was lost", f.After.Seconds()), Evidence: f.Range(),
		}}
	}
	return nil
}
