package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPRedirectCredentials redirects the device to a host of somebody else.
var HTTPRedirectCredentials = &check.Check{
	ID:    "security.http-redirect-credentials",
	Title: "Keeps its token from the host that a redirect leads to",
	Why: "A redirect to a file store or a CDN hands the device's token to whoever runs that host, and to their logs. " +
		"With the token anybody is the device.",
	Pass:         "the request to another host, if the device makes one, has no Authorization and no Cookie; the next document takes effect",
	Fix:          "drop Authorization and Cookie when scheme, host or port of a redirect differ",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"http.redirect.credentials"},
	Sources:      []string{"RFC 9110 section 15.4", "CVE-2018-1000007 (curl), CVE-2021-31879 (wget)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          httpRedirectCredentials,
}

func httpRedirectCredentials(ctx context.Context, t *check.T) error {
	foreign, err := t.Elsewhere(t.Foreign(), t.Web.Secure)
	if err != nil {
		return err
	}
	begin := func(doc testbed.Document) (func(), error) {
		foreign.Set(doc.Path, doc.Resource)
		return t.Answered(func(*web.Request) web.Response { return web.Redirect(302, foreign.URL()+doc.Path) })(doc)
	}
	none := false
	err = t.OfferAll(ctx, []check.Offer{{Name: "a redirect to another host", Begin: begin}}, func(f check.Offered) []check.Finding {
		if len(f.Fetches) > 0 && secrets(f.Fetches[0].Request) == "" {
			none = true
		}
		return judgeCredentials(elsewhere(f, foreign.URL()), f)
	})
	if err == nil && none {
		return check.NotApplicable("its requests to the API carry neither Authorization nor Cookie")
	}
	return err
}

// secrets names the fields of a request that prove who sends it; empty when there are none.
func secrets(q *web.Request) string {
	switch {
	case q.Authorization != "":
		return "Authorization"
	case q.Fields.Get("Cookie") != "":
		return "Cookie"
	}
	return ""
}

func judgeCredentials(q *web.Request, f check.Offered) []check.Finding {
	if q == nil || secrets(q) == "" {
		return nil
	}
	return []check.Finding{{
		Title: "Sends its " + secrets(q) + " to the host that a redirect leads to", Expected: "a request to another host without it, or none",
		Seen: q.String(), Evidence: f.Range(),
	}}
}
