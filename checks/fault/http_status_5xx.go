package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPStatus5xx answers every request with 500.
var HTTPStatus5xx = &check.Check{
	ID:    "fault.http-status-5xx",
	Title: "Backs off while its API answers 500",
	Why: "When a deployment goes wrong every answer is a 500. Devices that ask again at once keep the API down " +
		"long after the mistake was taken back.",
	Pass: "pauses between requests that at least double from the first third to the last and differ by chance from an exact doubling, or " +
		"are at least as long as the declared every; at most 20 retries in 60 s; a document takes effect afterwards",
	Fix:          "wait base × 2ⁿ with a random half before each retry, up to a cap, and begin anew only after a success",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"http.status.5xx"},
	Sources:      []string{"after AWS IoT Device Advisor, MQTT Connect Exponential Backoff Retries (same patterns, for HTTP ours)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		return apiOutage{
			during: "while its API answers 500", do: func(*web.Request) web.Response { return web.Problem(500) },
		}.run(ctx, t)
	},
}
