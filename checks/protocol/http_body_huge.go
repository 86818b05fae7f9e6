package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// enoughBytes of a body show that nothing bounds what the device reads. What lies in the buffers of sockets on the way counts too.
const enoughBytes = 24 << 20

// HTTPBodyHuge answers with far more than any document has.
var HTTPBodyHuge = &check.Check{
	ID:    "protocol.http-body-huge",
	Title: "Stops reading an answer that is far too large",
	Why: "A wrong file behind the right address, or a hostile server, is enough: a device that reads what comes into memory or flash " +
		"until there is none left dies of one answer.",
	Pass:         "the device ends the connection before 24 MiB of a body without end, and of one whose Content-Length says 1 TiB; it neither crashes nor stays away, and the next document takes effect",
	Fix:          "refuse a Content-Length above what the device takes, and count what is read where none is told",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"http.body.huge"},
	Sources:      []string{"UDMI sequence test blob_update_oversize", "the limit is ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        time.Hour,
	Run:          httpBodyHuge,
}

func httpBodyHuge(ctx context.Context, t *check.T) error {
	return t.OfferAll(ctx, []check.Offer{
		{Name: "a body without end", Begin: oversized(t, web.Chunked, -1), Whole: true},
		{Name: "a body of 1 TiB", Begin: oversized(t, web.Sized, 1<<40), Whole: true},
	}, func(f check.Offered) []check.Finding { return judgeHuge(sentOf(f), f) })
}

// oversized answers with the document and blank space after it, over and over.
func oversized(t *check.T, framing web.Framing, length int64) func(testbed.Document) (func(), error) {
	return func(doc testbed.Document) (func(), error) {
		body := append(append([]byte{}, doc.Body...), make([]byte, 1024)...)
		for i := len(doc.Body); i < len(body); i++ {
			body[i] = ' '
		}
		r := web.Response{Status: 200, Type: doc.Type, Body: body, Framing: framing, Length: length}
		return t.Answered(func(*web.Request) web.Response { return r })(doc)
	}
}

// sentOf is how many bytes of each body were sent until the device ended the connection; all for one that it did not end.
func sentOf(f check.Offered) []int64 {
	var all []int64
	for _, e := range f.Events {
		if ended, ok := e.Data.(*web.Ended); ok && ended.Path == f.Doc.Path {
			all = append(all, ended.Sent)
		}
	}
	return all
}

func judgeHuge(sent []int64, f check.Offered) []check.Finding {
	for _, n := range sent {
		if n < enoughBytes {
			continue
		}
		return []check.Finding{{
			Title: "Reads on without a limit with " + f.Name, Expected: fmt.Sprintf("it ends the connection before %d MiB", enoughBytes>>20),
			Seen: fmt.Sprintf("%d MiB were sent before the connection ended", n>>20), Evidence: f.Range(),
		}}
	}
	return nil
}
