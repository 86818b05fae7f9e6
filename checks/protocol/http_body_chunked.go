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

// HTTPBodyChunked sends documents in chunks.
var HTTPBodyChunked = &check.Check{
	ID:    "protocol.http-body-chunked",
	Title: "Takes a document that comes in chunks",
	Why: "Proxies and CDNs turn an answer with Content-Length into a chunked one whenever they like. Clients that look for the length, or " +
		"take the chunk sizes for content, fail on that day and not before.",
	Pass:     "a document takes effect that comes in one chunk, in chunks of 1 byte, and with trailers behind its last chunk",
	Fix:      "decode the chunked transfer coding (RFC 9112 section 7.1), also where chunks do not meet reads, and pass over trailers",
	Severity: check.Blocker,
	Rows:     []string{"http.body.chunked"},
	Sources:  []string{"RFC 9112 section 7.1: a recipient must be able to parse the chunked transfer coding"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:   check.Disturbs,
	Typical:  40 * time.Second,
	Limit:    time.Hour,
	Run:      httpBodyChunked,
}

func httpBodyChunked(ctx context.Context, t *check.T) error {
	trailer := http1.Fields{{Name: "X-Checksum", Value: "none"}}
	var offers []check.Offer
	for _, c := range []struct {
		name string
		as   web.Response
	}{
		{"in one chunk", web.Response{Framing: web.Chunked}},
		{"in chunks of 1 byte", web.Response{Framing: web.Chunked, Chunk: 1}},
		{"in chunks with a trailer", web.Response{Framing: web.Chunked, Trailers: trailer}},
	} {
		offers = append(offers, check.Offer{Name: "an answer " + c.name, Begin: framed(t, c.as), Requests: 3})
	}
	return t.OfferAll(ctx, offers, judgeWhole)
}

// framed answers with the document, and the rest as told.
func framed(t *check.T, as web.Response) func(testbed.Document) (func(), error) {
	return func(doc testbed.Document) (func(), error) {
		as.Status, as.Type, as.Body = 200, doc.Type, doc.Body
		return t.Answered(func(*web.Request) web.Response { return as })(doc)
	}
}

// judgeWhole finds a document that came whole and took no effect.
func judgeWhole(f check.Offered) []check.Finding {
	if f.Took || len(f.Fetches) < 2 {
		return nil
	}
	return []check.Finding{{
		Title: "Does not take a document with " + f.Name, Expected: "it takes effect, as with a Content-Length",
		Seen: fmt.Sprintf("it was fetched %d times and took no effect", len(f.Fetches)), Evidence: f.Range(),
	}}
}
