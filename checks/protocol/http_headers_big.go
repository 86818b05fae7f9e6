package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPHeadersBig answers with a head that is larger than any buffer for it.
var HTTPHeadersBig = &check.Check{
	ID:    "protocol.http-headers-big",
	Title: "Bears an answer with 32 KB of header fields",
	Why: "Security policies, cookies and tracing make heads grow with every component in front of an API. " +
		"A fixed buffer that overflows is a crash at best.",
	Pass:     "a document behind 32 KB of header fields takes effect or is refused; the device neither crashes nor stays away, and the next document takes effect",
	Fix:      "read the head line by line, pass over fields that are not needed, and give up at a limit",
	Severity: check.Minor,
	Rows:     []string{"http.headers.big"},
	Sources:  []string{"github.com/emfcamp/badge-2024-software issue 202"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:   check.Disturbs,
	Typical:  20 * time.Second,
	Limit:    time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		offers := []check.Offer{{Name: "an answer with 32 KB of header fields", Begin: framed(t, web.Response{Pad: 32 << 10})}}
		return t.OfferAll(ctx, offers, func(check.Offered) []check.Finding { return nil })
	},
}
