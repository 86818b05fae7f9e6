package check

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// Offer is one document that a device is offered while its API, or the way to it, is made to misbehave.
type Offer struct {
	Name     string                                              // what is done, as it follows "after": "a redirect with status 301"
	Begin    func(doc testbed.Document) (undo func(), err error) // makes it so; the document is served already
	Requests int                                                 // look on until so many requests for the document came; 0: 2, the second of which shows that the device is done with the first
	Within   time.Duration                                       // or until so much device time has passed; 0: three times Device.Every
	Whole    bool                                                // look on also after the document took effect
}

// Offered is what a device made of an offer.
type Offered struct {
	Offer
	Doc     testbed.Document
	Fetches []testbed.Fetch // of the document's path on the API
	Took    bool            // the document took effect
	After   time.Duration   // from the first fetch to the effect
	Exits   []evidence.Event
	Events  []evidence.Event
	Until   time.Time // end of the look
	First   int       // numbers of the first and last event
	Last    int
}

// Answered makes an Offer's Begin of an answer to every request for the document.
func (t *T) Answered(do web.Answer) func(testbed.Document) (func(), error) {
	return func(doc testbed.Document) (func(), error) { return t.Web.When(web.Rule{Path: doc.Path, Do: do}), nil }
}

// Fetches starts the device in a world where nothing is wrong, and waits until a document took effect: the positive control of what is
// about HTTP.
func (t *T) Fetches(ctx context.Context) error {
	doc := t.Device.Document()
	t.Device.Offer(doc)
	mark := t.Log.Len()
	t.Step("offer a document in an ordinary world")
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	within := t.Device.ConnectWithin() + t.Device.Every()
	_, ok, err := t.Device.AwaitDocument(ctx, doc, mark, within)
	if err != nil {
		return err
	}
	if !ok {
		return NotRun("see in the evidence which requests came, and whether the effect under http: is what the device shows",
			"no document took effect within %.0f s of power-on in an ordinary world; %d requests for it came", within.Seconds(), len(testbed.Fetches(t.Log.Since(mark), doc.Path)))
	}
	return nil
}

// Offer makes an offer, looks on, and heals.
func (t *T) Offer(ctx context.Context, o Offer) (Offered, error) {
	if o.Requests == 0 {
		o.Requests = 2
	}
	if o.Within == 0 {
		o.Within = 3 * t.Device.Every()
	}
	f := Offered{Offer: o, Doc: t.Device.Document(), First: t.Log.Len()}
	t.Step("offer a document with %s", o.Name)
	t.Device.Offer(f.Doc)
	undo, err := o.Begin(f.Doc)
	if err != nil {
		return f, err
	}
	heal := t.Impair(undo)
	wait, cancel := t.Clock.Timeout(ctx, o.Within)
	defer cancel()
	came := 0
	_, err = t.Log.Await(wait, f.First, func(e evidence.Event) bool {
		if q, ok := web.Got(e); ok && q.Path == f.Doc.Path {
			came++
		}
		return came >= o.Requests || !o.Whole && f.Doc.Shows(e) || t.Device.Ends(e)
	})
	if err != nil && ctx.Err() != nil {
		return f, ctx.Err()
	}
	heal()
	f.see(t)
	return f, nil
}

// see gathers what happened until now.
func (f *Offered) see(t *T) {
	f.Events, f.Until = t.Log.Since(f.First), t.Clock.Now()
	f.Last = f.First + len(f.Events) - 1
	f.Fetches = testbed.Fetches(f.Events, f.Doc.Path)
	if e, ok := f.Doc.Took(f.Events); ok {
		f.Took = true
		if len(f.Fetches) > 0 {
			f.After = e.At.Sub(f.Fetches[0].At)
		}
	}
	for _, e := range f.Events {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			f.Exits = append(f.Exits, e)
		}
	}
}

// Range is the evidence of the offer.
func (f *Offered) Range() []evidence.Ref {
	return Range(f.First, max(f.First, f.Last), "from the offer to the end of the look")
}

// OfferAll offers a document in an ordinary world, then makes each offer, judges what came of it, and at last sees that a document still
// takes effect in a world that is healed.
func (t *T) OfferAll(ctx context.Context, offers []Offer, judge func(Offered) []Finding) error {
	if err := t.Fetches(ctx); err != nil {
		return err
	}
	last := ""
	for _, o := range offers {
		last = o.Name
		f, err := t.Offer(ctx, o)
		if err != nil {
			return err
		}
		t.Record("%s: %s", o.Name, f.account())
		if len(f.Fetches) == 0 && !f.Took && len(f.Exits) == 0 {
			break // nothing came of it: what was done before keeps the device away, which the end finds
		}
		found := judge(f)
		t.Find(append(crashed(f), found...)...)
		if len(found) > 0 {
			t.Web.Link.Cut(false) // whatever still hangs
			break                 // one is enough: the device's next pause may be long
		}
	}
	_, err := t.FetchesAgain(ctx, last)
	return err
}

func (f *Offered) account() string {
	text := fmt.Sprintf("%d requests", len(f.Fetches))
	if f.Took {
		return text + fmt.Sprintf(", took effect after %.1f s", f.After.Seconds())
	}
	return text + ", took no effect"
}

// crashed finds a process that ended.
func crashed(f Offered) []Finding {
	if len(f.Exits) == 0 {
		return nil
	}
	return []Finding{{
		Severity: Blocker, Title: Ended(f.Exits[0].Text) + " after " + f.Name,
		Expected: "it goes on, with the answer or without it", Seen: "its process ended by itself: " + f.Exits[0].Text, Evidence: f.Range(),
	}}
}

// FetchesAgain offers a document in the healed world, and finds it when that takes no effect within the longest pause that is in order and
// the time for an ordinary fetch. It reports whether it took effect.
func (t *T) FetchesAgain(ctx context.Context, after string) (bool, error) {
	doc := t.Device.Document()
	t.Device.Offer(doc)
	mark, start := t.Log.Len(), t.Clock.Now()
	t.Step("offer a document in the healed world")
	within := t.Device.Cap() + t.Device.Every()
	e, ok, err := t.Device.AwaitDocument(ctx, doc, mark, within)
	if err != nil {
		return false, err
	}
	if ok {
		t.MeasureTime("healing to the next document in effect", e.At.Sub(start), fmt.Sprintf("<= %.0f s", within.Seconds()))
		return true, nil
	}
	n := len(testbed.Fetches(t.Log.Since(mark), doc.Path))
	f := Finding{
		Severity: Blocker, Title: "Takes no document any more after " + after,
		Expected: fmt.Sprintf("a document that is offered when all is well again takes effect within %.0f s", within.Seconds()),
		Seen:     fmt.Sprintf("%d requests came within %.0f s, and the document took no effect", n, within.Seconds()),
		Evidence: Range(mark, t.Log.Len()-1, "after the healing"),
	}
	if n == 0 {
		f.Title, f.Seen = "Stays away after "+after, fmt.Sprintf("no request came within %.0f s", within.Seconds())
	}
	t.Find(f)
	return false, nil
}

// Moved is an Offer's Begin that moves the document: so many redirects with that status lead to it. Each Location is prefix, which is a
// scheme with a host or nothing, and a path that begins with under. Where the document was, only the redirect is left.
func (t *T) Moved(status, hops int, prefix, under string) func(testbed.Document) (func(), error) {
	return func(doc testbed.Document) (func(), error) {
		var undos []func()
		from := doc.Path
		for n := hops; n > 0; n-- {
			to := under + doc.Path
			if n > 1 {
				to = fmt.Sprintf("%s/%d%s", under, n, doc.Path)
			}
			undos = append(undos, t.Web.When(web.Rule{Path: from, Do: func(*web.Request) web.Response { return web.Redirect(status, prefix+to) }}))
			from = to
		}
		t.Web.Set(from, doc.Resource)
		return func() {
			for _, undo := range undos {
				undo()
			}
			t.Web.Remove(from)
		}, nil
	}
}
