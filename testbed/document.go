package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/web"
)

// Document is one document that the device can fetch, unlike every other of the run.
type Document struct {
	Token string
	Path  string
	web.Resource

	shows func(evidence.Event) bool
}

// Shows reports whether e is the declared proof that the document took effect.
func (d Document) Shows(e evidence.Event) bool { return d.shows(e) }

// Took is the first event that shows the document in effect, and whether there is one.
func (d Document) Took(events []evidence.Event) (evidence.Event, bool) {
	for _, e := range events {
		if d.shows(e) {
			return e, true
		}
	}
	return evidence.Event{}, false
}

// File is one larger file that the device can fetch.
type File struct {
	Document        // shows the file in effect; its resource is the document that makes the device fetch it, or empty
	Where    string // path of the file
	Body     []byte
}

// HTTP is what the product file says of the device's HTTP; never nil in a check that needs it declared.
func (d *Device) HTTP() *product.HTTPPart { return d.Part.HTTP }

// Every is how long the device may take to fetch its document when all is well: twice what it declares, because a fetch that just missed
// the new document is followed by another, with time for a start and for a machine that is busy.
func (d *Device) Every() time.Duration {
	return 2*time.Duration(d.HTTP().Every) + 10*time.Second + d.bed.Clock.Device(time.Second)
}

// Document makes a new document. It is not served yet; see Offer.
func (d *Device) Document() Document {
	h := d.HTTP()
	n, token := d.next()
	doc := Document{Token: token, Path: product.Fill(h.Document, d.ID, n, token)}
	doc.Type, doc.Body = h.Type, []byte(product.Fill(h.Payload, d.ID, n, token))
	doc.shows = d.shape(h.Effect, nil).effect(d, n, token)
	return doc
}

// Offer serves a document from now on.
func (d *Device) Offer(doc Document) { d.bed.Web.Set(doc.Path, doc.Resource) }

// Download makes a new file of random bytes, and the document that names it. Both are served from now on.
func (d *Device) Download() File {
	h := d.HTTP()
	n, token := d.next()
	f := File{Where: product.Fill(h.Download.Path, d.ID, n, token), Body: make([]byte, h.Download.Size)}
	for i := range f.Body {
		f.Body[i] = byte(d.bed.Rand.Uint32())
	}
	sum := sha256.Sum256(f.Body)
	words := strings.NewReplacer("{size}", strconv.Itoa(len(f.Body)), "{sha256}", hex.EncodeToString(sum[:]))
	f.Token, f.Path, f.Type = token, product.Fill(h.Document, d.ID, n, token), h.Type
	f.shows = d.shape(h.Download.Effect, words).effect(d, n, token)
	d.bed.Web.Set(f.Where, web.Resource{Type: "application/octet-stream", Body: f.Body})
	if h.Download.Payload != "" {
		f.Resource.Body = []byte(words.Replace(product.Fill(h.Download.Payload, d.ID, n, token)))
		d.Offer(f.Document)
	}
	return f
}

// next is the number and the word of a new document or command.
func (d *Device) next() (n int, token string) {
	d.sent++
	n = d.sent + 4
	return n, fmt.Sprintf("sd%04x%02d", d.bed.Rand.IntN(1<<16), n)
}

// shape makes an effect ready; words replace what is special to a file. The rules of the product file have compiled it before.
func (d *Device) shape(e product.Effect, words *strings.Replacer) *commandShape {
	if words != nil {
		e.Console, e.Topic, e.When = words.Replace(e.Console), words.Replace(e.Topic), words.Replace(e.When)
	}
	s := &commandShape{Command: product.Command{Effect: e}}
	if e.When == "" {
		return s
	}
	if p, err := product.CompileEffect(e.When); err == nil {
		s.when = p
	}
	return s
}

// Fetch is one request for a document, as it came.
type Fetch struct {
	N  int // of its event
	At time.Time
	*web.Request
}

// Fetches are the requests for a path in events, in their order.
func Fetches(events []evidence.Event, path string) []Fetch {
	var all []Fetch
	for _, e := range events {
		if q, ok := web.Got(e); ok && q.Path == path {
			all = append(all, Fetch{N: e.N, At: e.At, Request: q})
		}
	}
	return all
}

// AwaitDocument waits up to within (device time) for the proof that doc took effect, in the events from mark on. It reports false when the
// time is over. The error is that of ctx.
func (d *Device) AwaitDocument(ctx context.Context, doc Document, mark int, within time.Duration) (evidence.Event, bool, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, doc.shows)
	return e, err == nil, ctx.Err()
}
