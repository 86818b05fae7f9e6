package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPBodyWrongType answers with a web page where a document or a file belongs.
var HTTPBodyWrongType = &check.Check{
	ID:    "protocol.http-body-wrong-type",
	Title: "Does not take a web page for its document",
	Why: "Portals, broken load balancers and expired hosting answer 200 with a page for people. " +
		"Devices have written such pages into their flash and did not start again.",
	Pass: "a page of type text/html takes no effect, neither with the text of a document in it nor, where a download is declared, in place of the " +
		"file; the next document does take effect",
	Fix:          "look at Content-Type, and at the magic bytes, the size and the signature of a file, before anything is used",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"http.body.wrong-type"},
	Sources:      []string{"github.com/espressif/esp-idf issue 3218 (first byte 0x3c)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        time.Hour,
	Run:          httpBodyWrongType,
}

func httpBodyWrongType(ctx context.Context, t *check.T) error {
	page := func(doc testbed.Document) (func(), error) {
		r := web.Page("Welcome")
		r.Body = append(append([]byte("<!DOCTYPE html>\n<html><body><pre>\n"), doc.Body...), "\n</pre></body></html>\n"...)
		return t.Answered(func(*web.Request) web.Response { return r })(doc)
	}
	if err := t.OfferAll(ctx, []check.Offer{{Name: "a web page for an answer", Begin: page}}, judgePage); err != nil {
		return err
	}
	if t.Device.HTTP().Download == nil {
		return nil
	}
	return pageForFile(ctx, t)
}

func judgePage(f check.Offered) []check.Finding {
	if !f.Took {
		return nil
	}
	return []check.Finding{{
		Title: "Takes a web page for its document", Expected: "the page is refused, by its type or by what it holds",
		Seen: "the text of a document within a page of type text/html took effect", Evidence: f.Range(),
	}}
}

// pageForFile serves a page where a file belongs, until it was fetched twice.
func pageForFile(ctx context.Context, t *check.T) error {
	t.Step("serve a web page in place of the file")
	mark := t.Log.Len()
	f := t.Device.Download()
	heal := t.Impair(t.Web.When(web.Rule{Path: f.Where, Do: func(*web.Request) web.Response { return web.Page("Welcome") }}))
	seen, err := awaitFile(ctx, t, f, mark, 2)
	if err != nil {
		return err
	}
	if seen.took {
		t.Find(check.Finding{
			Title: "Takes a web page for a file", Expected: "the page is refused, by its type, its size or its checksum",
			Seen: "the file that was declared took effect, and all that came was a page of type text/html", Evidence: check.Range(mark, t.Log.Len()-1, "the download"),
		})
		return nil
	}
	if seen.fetches == 0 {
		return check.NotRun("see in the evidence whether the document under http.download makes the device fetch the file", "it did not fetch the file")
	}
	heal()
	return wholeFile(ctx, t, f, mark, "a web page in place of the file")
}
