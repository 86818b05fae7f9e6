package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPBodyNoLength sends documents whose end is that of the connection.
var HTTPBodyNoLength = &check.Check{
	ID:    "protocol.http-body-no-length",
	Title: "Bears an answer without a length",
	Why: "Old servers and simple proxies close the connection in place of telling a length. A client that makes room for what " +
		"Content-Length says crashes when there is none, or waits for more for ever.",
	Pass:     "a document without Content-Length, ended by the close of the connection, takes effect or is refused; the device does not crash and does not stay away: the next document takes effect",
	Fix:      "read up to the end of the connection and a limit of your own where no length is told (RFC 9112 section 6.3)",
	Severity: check.Major,
	Rows:     []string{"http.body.no-length"},
	Sources:  []string{"RFC 9112 section 6.3", "github.com/mikalhart/ESP32-OTA-Pull issue 12"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:   check.Disturbs,
	Typical:  20 * time.Second,
	Limit:    time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		offers := []check.Offer{{Name: "an answer without a length", Begin: framed(t, web.Response{Framing: web.UntilClose})}}
		return t.OfferAll(ctx, offers, func(check.Offered) []check.Finding { return nil })
	},
}
