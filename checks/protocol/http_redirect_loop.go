package protocol

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

const (
	mostHops    = 10  // redirects that a device may follow for one document
	endlessHops = 60  // redirects after which it is not waited any more
	leastPause  = 0.8 // seconds of a pause between two chains
)

// HTTPRedirectLoop sends the device from one address to the next without end.
var HTTPRedirectLoop = &check.Check{
	ID:    "protocol.http-redirect-loop",
	Title: "Stops following redirects that have no end",
	Why: "One wrong rule in a load balancer makes a loop of redirects. A device that follows it for ever drains its battery and its data " +
		"plan, and the fleet together is a flood of requests on a cloud that is in trouble already.",
	Pass: "at most 10 redirects are followed before the document is given up (more is minor, 60 or more is without end), at least 1 s lies between two " +
		"tries, and the next document takes effect",
	Fix:      "count redirects, give up after a few, and treat it as a failure with back-off",
	Severity: check.Major,
	Rows:     []string{"http.redirect.loop"},
	Sources:  []string{"RFC 9110 section 15.4 (a client should detect and intervene in cyclical redirections)", "the limit of 10 is ours"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:   check.Disturbs,
	Typical:  30 * time.Second,
	Limit:    time.Hour,
	Run:      httpRedirectLoop,
}

func httpRedirectLoop(ctx context.Context, t *check.T) error {
	loop := func(doc testbed.Document) (func(), error) {
		n := 0
		inLoop := func(q *web.Request) bool { return strings.HasSuffix(q.Path, doc.Path) }
		return t.Web.When(web.Rule{Match: inLoop, Do: func(*web.Request) web.Response {
			n++
			return web.Redirect(302, fmt.Sprintf("%s/loop/%d%s", t.Web.URL(), n, doc.Path))
		}}), nil
	}
	return t.OfferAll(ctx, []check.Offer{{Name: "redirects without end", Begin: loop, Requests: 3}}, func(f check.Offered) []check.Finding {
		return judgeLoop(chainsOf(f), f)
	})
}

// chain is one try of a document: how many redirects were followed, and how long after the end of the one before it began.
type chain struct {
	hops  int
	pause time.Duration // 0 for the first
}

// chainsOf gathers the tries of an offer. The last may be cut short.
func chainsOf(f check.Offered) []chain {
	var all []chain
	var last time.Time
	for _, e := range f.Events {
		q, ok := web.Got(e)
		switch {
		case !ok || !strings.HasSuffix(q.Path, f.Doc.Path):
			continue
		case q.Path == f.Doc.Path && len(all) > 0:
			all = append(all, chain{pause: e.At.Sub(last)})
		case q.Path == f.Doc.Path:
			all = append(all, chain{})
		case len(all) > 0:
			all[len(all)-1].hops++
		}
		last = e.At
	}
	return all
}

func judgeLoop(chains []chain, f check.Offered) []check.Finding {
	most, quick := 0, 0
	for _, c := range chains {
		most = max(most, c.hops)
		if c.pause > 0 && c.pause.Seconds() < leastPause {
			quick++
		}
	}
	var found []check.Finding
	if most > mostHops {
		g := check.Finding{
			Severity: check.Minor, Title: fmt.Sprintf("Follows %d redirects in a row", most),
			Expected: fmt.Sprintf("at most %d", mostHops), Seen: fmt.Sprintf("it followed %d before it gave up", most), Evidence: f.Range(),
		}
		if most >= endlessHops {
			g.Severity, g.Title, g.Seen = check.Major, "Follows redirects without end", fmt.Sprintf("it followed %d, and went on", most)
		}
		found = append(found, g)
	}
	if quick > 0 {
		found = append(found, check.Finding{
			Title: "Begins anew at once when redirects lead in a circle", Expected: "a pause of at least 1 s before the next try",
			Seen: fmt.Sprintf("%d of %d tries began sooner after the one before", quick, len(chains)-1), Evidence: f.Range(),
		})
	}
	return found
}
