package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/web"
)

// httpPatience is how long a device may wait for an answer.
const httpPatience = 120 * time.Second

// HTTPSlow answers so slowly that no answer comes of it.
var HTTPSlow = &check.Check{
	ID:    "fault.http-slow",
	Title: "Gives up an answer that does not come",
	Why: "A server that hangs keeps the connection open. A client without a time-out for the whole answer waits until it is switched " +
		"off and on, because every byte that trickles in starts its timer anew.",
	Pass: "the device ends the connection within 120 s of its request when the head of the answer comes at 1 byte/s, and when nothing comes after the " +
		"head; the next document takes effect",
	Fix:          "set one deadline for the whole request with its answer, beside those of the single reads",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Rows:         []string{"http.slow"},
	Sources:      []string{"the limit is ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run:          httpSlow,
}

func httpSlow(ctx context.Context, t *check.T) error {
	within := httpPatience + t.Device.Every()
	return t.OfferAll(ctx, []check.Offer{
		{Name: "a head that comes at 1 byte/s", Within: within, Begin: t.Answered(func(*web.Request) web.Response {
			r := web.Problem(503)
			r.Pace, r.Pad = time.Second, 400 // more than the patience allows
			return r
		})},
		{Name: "silence after the head", Within: within, Begin: t.Answered(func(*web.Request) web.Response {
			return web.Response{Status: 200, Type: "application/octet-stream", Length: 1000, Body: []byte{' '}, Mute: true}
		})},
	}, func(f check.Offered) []check.Finding { return judgeSlow(waited(f), f) })
}

// waited is how long the device waited for its first answer: until it closed the connection or sent another request, or else until the end
// of the look.
func waited(f check.Offered) time.Duration {
	if len(f.Fetches) == 0 {
		return 0
	}
	first := f.Fetches[0]
	for _, e := range f.Events {
		q, asked := web.Got(e)
		if e.N > first.N && (e.Conn == first.Conn && e.Kind == evidence.Close || asked && q.Path == f.Doc.Path) {
			return e.At.Sub(first.At)
		}
	}
	return f.Until.Sub(first.At)
}

func judgeSlow(waited time.Duration, f check.Offered) []check.Finding {
	if waited <= httpPatience+2*time.Second {
		return nil
	}
	return []check.Finding{{
		Title: "Does not give up an answer with " + f.Name, Expected: fmt.Sprintf("it ends the connection within %.0f s of its request", httpPatience.Seconds()),
		Seen: fmt.Sprintf("it waited for longer than %.0f s", httpPatience.Seconds()), Evidence: f.Range(),
	}}
}
