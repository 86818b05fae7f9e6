package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/world/web"
)

const (
	refusedTries = 3                // requests a minute while every token is refused
	refusedLook  = 45 * time.Second // so long it is counted, which is less than a minute: no more than that may come in it either
)

// HTTPStatus401 lets the device's token expire, and then refuses every token.
var HTTPStatus401 = &check.Check{
	ID:    "protocol.http-status-401",
	Title: "Renews its token once when it is refused, then waits",
	Why: "Tokens expire, and now and then a cloud refuses all of them. Devices that try again and again with the dead token lock " +
		"themselves out, and a fleet of them takes the token server down.",
	Pass: "where a token path is declared, an expired token is renewed and the document then takes effect; while every token is refused, at most 3 " +
		"requests for the document come within 45 s; afterwards a document takes effect",
	Fix:          "renew the token once after a 401; when the new one is refused too, back off as from any failure, from 30 s on",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i"},
	Rows:         []string{"http.status.401"},
	Sources:      []string{"RFC 6750 section 3.1", "the limit is ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      2 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          httpStatus401,
}

func httpStatus401(ctx context.Context, t *check.T) error {
	var offers []check.Offer
	if t.Device.HTTP().Token != "" {
		old := t.Token()
		expired := func(doc testbed.Document) (func(), error) {
			stale := func(q *web.Request) bool { return q.Authorization == "Bearer "+old }
			return t.Web.When(web.Rule{Path: doc.Path, Match: stale, Do: unauthorised}), nil
		}
		offers = append(offers, check.Offer{Name: "a token that has expired", Begin: expired, Requests: 5})
	}
	offers = append(offers, check.Offer{
		Name: "tokens that are all refused", Begin: t.Answered(unauthorised), Requests: refusedTries + 1, Within: refusedLook, Whole: true,
	})
	return t.OfferAll(ctx, offers, judge401)
}

func unauthorised(*web.Request) web.Response {
	r := web.Problem(401)
	r.Fields = http1.Fields{{Name: "WWW-Authenticate", Value: `Bearer error="invalid_token"`}}
	return r
}

func judge401(f check.Offered) []check.Finding {
	n := len(f.Fetches)
	switch {
	case !f.Whole && !f.Took && n > 0:
		return []check.Finding{{
			Title: "Does not renew a token that has expired", Expected: "a request for another token, and then the document with that",
			Seen: fmt.Sprintf("%d requests came with the old token; the document took no effect", n), Evidence: f.Range(),
		}}
	case f.Whole && n > refusedTries:
		span := f.Fetches[n-1].At.Sub(f.Fetches[0].At)
		return []check.Finding{{
			Title: "Tries on and on while its tokens are refused", Expected: fmt.Sprintf("at most %d requests a minute", refusedTries),
			Seen: fmt.Sprintf("%d requests within %.0f s", n, span.Seconds()), Evidence: f.Range(),
		}}
	}
	return nil
}
