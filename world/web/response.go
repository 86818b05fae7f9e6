package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
)

// Framing is how the end of a body is told (RFC 9112 section 6).
type Framing int

// The framings.
const (
	Sized      Framing = iota // by Content-Length
	Chunked                   // by the chunked transfer coding
	UntilClose                // by the end of the connection
)

// Response says what goes over the wire. The zero value of a field is what a correct server does.
type Response struct {
	Status int
	Fields http1.Fields // beside those that the framing needs
	Type   string       // media type; empty: none is told
	Body   []byte

	Framing  Framing
	Chunk    int          // bytes in a chunk; 0: the body is one chunk
	Trailers http1.Fields // after a chunked body
	Length   int64        // of a body that repeats Body until it is so long; negative: endless
	Stop     int64        // the connection is closed after so many bytes of the body, though more was announced; 0: never

	Pace  time.Duration // device time between two bytes of the head
	Pad   int           // bytes of further fields in the head
	Mute  bool          // the head is all that comes; the connection stays open until the client gives up
	Delay time.Duration // device time before the head
	Close bool          // the connection ends after the answer, as the head says
	Cut   bool          // the connection ends after the answer, and the head does not say so
}

// Reply is the Data of an Out event.
type Reply struct {
	Status int    `json:"status"`
	Path   string `json:"path"`
	Length int64  `json:"length"` // bytes of the body that are to be sent; negative: endless
}

// Ended is the Data of a Seen event that follows a Reply of which the client did not take all, or which had no end.
type Ended struct {
	Path string `json:"path"`
	Sent int64  `json:"sent"` // bytes of the body
}

// length is how many bytes the body has.
func (r *Response) length() int64 {
	if r.Length != 0 {
		return r.Length
	}
	return int64(len(r.Body))
}

func (r *Response) String() string {
	text := fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))
	switch n := r.length(); {
	case n < 0:
		text += ", a body without end"
	case n > 0:
		text += fmt.Sprintf(", %d bytes", n)
	}
	if r.Type != "" {
		text += " of " + r.Type
	}
	if to := r.Fields.Get("Location"); to != "" {
		text += ", to " + clip(to)
	}
	if after := r.Fields.Get("Retry-After"); after != "" {
		text += ", retry after " + after
	}
	return text
}

// Sent returns the reply of an Out event, if it is one.
func Sent(e evidence.Event) (*Reply, bool) {
	r, ok := e.Data.(*Reply)
	return r, ok && e.Kind == evidence.Out
}
