package protocol

import (
	"context"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// HTTPRedirectLong sends the device on with a Location that signed download links have.
var HTTPRedirectLong = &check.Check{
	ID:    "protocol.http-redirect-long",
	Title: "Bears a Location of 2 KB",
	Why: "Signed links of object stores are longer than the buffers that firmware sets aside for a URL. " +
		"The day on which the cloud moves its files there, every device in the field fails or crashes.",
	Pass:     "a document behind a redirect with a Location of 2 KB takes effect or is refused; the device neither crashes nor stays away, and the next document takes effect",
	Fix:      "size the URL buffer by what comes, up to 8 KB, and refuse what is longer",
	Severity: check.Major,
	Rows:     []string{"http.redirect.long"},
	Sources:  []string{"RFC 9110 section 4.1 (8000 octets)", "github.com/esphome/esphome issue 13786"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:   check.Disturbs,
	Typical:  20 * time.Second,
	Limit:    time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		long := "/" + strings.Repeat("signature", 230)
		return t.OfferAll(ctx, []check.Offer{{Name: "a redirect with a Location of 2 KB", Begin: t.Moved(302, 1, t.Web.URL(), long)}}, judgeRedirect)
	},
}
