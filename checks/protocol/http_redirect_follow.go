package protocol

import (
	"context"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPRedirectFollow moves a document, in each of the ways that HTTP has for it.
var HTTPRedirectFollow = &check.Check{
	ID:    "protocol.http-redirect-follow",
	Title: "Follows redirects, or fails cleanly",
	Why: "Clouds move: a CDN is put before the API, a path gets a new version. Devices that take the body of a redirect for the answer " +
		"have written HTML into their flash, and others crash on a Location without a host.",
	Pass: "a document behind a redirect with status 301, 302, 307 or 308, behind a relative one and behind 3 in a row takes effect or is " +
		"refused; the device neither crashes nor stays away, and the next document without a redirect takes effect",
	Fix:          "follow up to a few redirects, resolve Location against the present URL (RFC 9110 section 10.2.2), and look at the status before the body",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"http.redirect.follow"},
	Sources:      []string{"RFC 9110 section 15.4", "github.com/espressif/esp-idf issue 3218", "github.com/esp8266/Arduino issue 6469"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      70 * time.Second,
	Limit:        time.Hour,
	Run:          httpRedirectFollow,
}

func httpRedirectFollow(ctx context.Context, t *check.T) error {
	var offers []check.Offer
	for _, c := range []struct {
		name   string
		status int
		hops   int
		whole  bool // Location with scheme and host
	}{
		{"a redirect with status 301", 301, 1, true},
		{"a redirect with status 302", 302, 1, true},
		{"a redirect with status 307", 307, 1, true},
		{"a redirect with status 308", 308, 1, true},
		{"a redirect to a path without host", 302, 1, false},
		{"3 redirects in a row", 302, 3, true},
	} {
		prefix := ""
		if c.whole {
			prefix = t.Web.URL()
		}
		offers = append(offers, check.Offer{Name: c.name, Begin: t.Moved(c.status, c.hops, prefix, "/moved")})
	}
	return t.OfferAll(ctx, offers, judgeRedirect)
}

// judgeRedirect finds a redirect of GET that was followed with another method.
func judgeRedirect(f check.Offered) []check.Finding {
	for _, e := range f.Events {
		if q, ok := web.Got(e); ok && isMoved(q, f.Doc) && q.Method != "GET" && q.Method != "HEAD" {
			return []check.Finding{{
				Severity: check.Major, Title: "Changes its GET to " + q.Method + " after " + f.Name,
				Expected: "the same method where the redirect leads", Seen: q.String(), Evidence: f.Range(),
			}}
		}
	}
	return nil
}

// isMoved reports whether a request is for the place that a redirect led to.
func isMoved(q *web.Request, doc testbed.Document) bool {
	return q.Path != doc.Path && strings.HasSuffix(q.Path, doc.Path)
}
