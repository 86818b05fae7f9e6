package security

import (
	"context"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPRedirectDowngrade redirects the device from https to http.
var HTTPRedirectDowngrade = &check.Check{
	ID:    "security.http-redirect-downgrade",
	Title: "Does not follow a redirect from https to http",
	Why: "Behind such a redirect everybody on the way can read what the device fetches, and change it. " +
		"A wrong setting of a CDN is enough, or an attacker who can answer once.",
	Pass:         "no request comes to the http address that a redirect of the https API leads to, and the next document takes effect",
	Fix:          "refuse a Location whose scheme is not https",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1"},
	Rows:         []string{"http.redirect.downgrade"},
	Sources:      []string{"github.com/emfcamp/badge-2024-software issue 202", "RFC 9110 section 17.9"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTPS, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          httpRedirectDowngrade,
}

func httpRedirectDowngrade(ctx context.Context, t *check.T) error {
	plain, err := t.Elsewhere(t.Web.Name, false)
	if err != nil {
		return err
	}
	begin := func(doc testbed.Document) (func(), error) {
		plain.Set(doc.Path, doc.Resource)
		return t.Answered(func(*web.Request) web.Response { return web.Redirect(302, plain.URL()+doc.Path) })(doc)
	}
	return t.OfferAll(ctx, []check.Offer{{Name: "a redirect to http", Begin: begin}}, func(f check.Offered) []check.Finding {
		return judgeDowngrade(elsewhere(f, plain.URL()), f)
	})
}

// elsewhere is the first request that came to the server at a URL; nil when none did.
func elsewhere(f check.Offered, url string) *web.Request {
	_, host, _ := strings.Cut(url, "://")
	for _, e := range f.Events {
		if q, ok := web.Got(e); ok && strings.HasPrefix(e.Part, "elsewhere") && (q.Host == host || strings.HasPrefix(host, q.Host+":")) {
			return q
		}
	}
	return nil
}

func judgeDowngrade(q *web.Request, f check.Offered) []check.Finding {
	if q == nil {
		return nil
	}
	g := check.Finding{
		Title: "Follows a redirect from https to http", Expected: "the redirect is refused", Seen: "over plain http came " + q.String(), Evidence: f.Range(),
	}
	if f.Took {
		g.Seen += "; the document from there took effect"
	}
	return []check.Finding{g}
}
