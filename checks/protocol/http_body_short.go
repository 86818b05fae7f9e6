package protocol

import (
	"bytes"
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPBodyShort closes the connection in the middle of a document, where what came so far looks whole.
var HTTPBodyShort = &check.Check{
	ID:    "protocol.http-body-short",
	Title: "Does not act on half an answer",
	Why: "Connections break in the middle of an answer. What came so far may look whole: a list that lacks its last entries, a " +
		"firmware that lacks its last sectors.",
	Pass:         "a document whose connection is closed after half of its Content-Length, or before its last chunk, takes no effect, though that half is a document; the next one takes effect",
	Fix:          "compare what came with Content-Length, or wait for the last chunk, before anything is used (RFC 9112 section 8)",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"http.body.short"},
	Sources:      []string{"RFC 9112 section 8", "github.com/espressif/arduino-esp32 issue 1652"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        time.Hour,
	Run:          httpBodyShort,
}

func httpBodyShort(ctx context.Context, t *check.T) error {
	return t.OfferAll(ctx, []check.Offer{
		{Name: "a connection closed after half of the Content-Length", Begin: halved(t, web.Sized)},
		{Name: "a connection closed before the last chunk", Begin: halved(t, web.Chunked)},
	}, judgeHalf)
}

// halved answers with the document and as much blank space, of which only the first half comes.
func halved(t *check.T, framing web.Framing) func(testbed.Document) (func(), error) {
	return func(doc testbed.Document) (func(), error) {
		body := append(bytes.Clone(doc.Body), '\n')
		half := int64(len(body))
		body = append(body, bytes.Repeat([]byte{' '}, len(body))...)
		r := web.Response{Status: 200, Type: doc.Type, Body: body, Framing: framing, Stop: half}
		return t.Answered(func(*web.Request) web.Response { return r })(doc)
	}
}

func judgeHalf(f check.Offered) []check.Finding {
	if !f.Took {
		return nil
	}
	return []check.Finding{{
		Title: "Acts on half an answer", Expected: "the answer is thrown away and fetched again", Seen: "the document took effect with " + f.Name, Evidence: f.Range(),
	}}
}
