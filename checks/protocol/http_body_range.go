package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/web"
)

// HTTPBodyRange interrupts downloads, and answers what follows in each of the three ways.
var HTTPBodyRange = &check.Check{
	ID:    "protocol.http-body-range",
	Title: "Takes up an interrupted download",
	Why: "On a bad line a large file never comes in one piece. A server may give the rest (206), all of it again (200), or refuse (416): " +
		"a device that appends what comes in any case has a broken file, and one that asks for the same again never ends.",
	Pass: "a download that is interrupted at half its size takes effect when the rest is then served as asked, when a Range is answered with the " +
		"whole file and status 200, always, and when it is refused with 416",
	Fix:      "look at the status before appending: 206 with the Content-Range asked for goes on, 200 begins anew, 416 throws away what is there",
	Severity: check.Major,
	Rows:     []string{"http.body.range"},
	Sources:  []string{"RFC 9110 section 14.2, 15.3.7, 15.5.17"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http.download"}},
	Impact:   check.Disturbs,
	Typical:  time.Minute,
	Limit:    2 * time.Hour,
	Run:      httpBodyRange,
}

func httpBodyRange(ctx context.Context, t *check.T) error {
	if err := t.Fetches(ctx); err != nil {
		return err
	}
	ranged := func(q *web.Request) bool { return q.Range != "" }
	resumes := false
	for _, c := range []struct {
		name string
		do   func(whole web.Response) web.Answer // to requests with a Range; nil: the ordinary
	}{
		{"an interruption", nil},
		{"a Range that is answered with all of the file", func(whole web.Response) web.Answer {
			return func(*web.Request) web.Response { return whole }
		}},
		{"a Range that is answered with 416", func(whole web.Response) web.Answer {
			return func(*web.Request) web.Response { return web.Unsatisfiable(len(whole.Body)) }
		}},
	} {
		t.Step("interrupt a download at half its size: %s", c.name)
		mark := t.Log.Len()
		f := t.Device.Download()
		whole := web.Response{Status: 200, Type: "application/octet-stream", Body: f.Body}
		heal := func() {}
		if c.do != nil {
			heal = t.Impair(t.Web.When(web.Rule{Path: f.Where, Match: ranged, Do: c.do(whole)}))
		}
		half := whole
		half.Stop = int64(len(f.Body) / 2)
		t.Undo(t.Web.When(web.Rule{Path: f.Where, Times: 1, Do: func(*web.Request) web.Response { return half }}))
		err := wholeFile(ctx, t, f, mark, c.name)
		heal()
		if err != nil {
			return err
		}
		seen := fileSeen(t.Log.Since(mark), f)
		t.Record("%s: %d requests for the file, %d with a Range; took effect: %t", c.name, seen.fetches, seen.ranges, seen.took)
		resumes = resumes || seen.ranges > 0
		if seen.fetches == 0 {
			return check.NotRun("see in the evidence whether the document under http.download makes the device fetch the file", "it did not fetch the file")
		}
		if !seen.took {
			return nil
		}
	}
	if !resumes {
		t.Record("it fetches the whole file anew after an interruption, without Range")
	}
	return nil
}
