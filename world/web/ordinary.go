package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/wire/http1"
)

// Ordinary is what a correct server answers: the resource of the path to GET and HEAD, as a whole, in part (RFC 9110 section 14), or not
// again (section 13).
func (s *Server) Ordinary(q *Request) Response {
	s.mu.Lock()
	r, ok := s.resources[q.Path]
	s.mu.Unlock()
	switch {
	case !ok:
		return Problem(http.StatusNotFound)
	case q.Method != http.MethodGet && q.Method != http.MethodHead:
		p := Problem(http.StatusMethodNotAllowed)
		p.Fields = http1.Fields{{Name: "Allow", Value: "GET, HEAD"}}
		return p
	}
	whole := r.Whole()
	tag := whole.Fields.Get("ETag")
	switch {
	case q.Fields.Get("If-None-Match") == tag:
		return Response{Status: http.StatusNotModified, Fields: whole.Fields}
	case q.Range == "" || q.Fields.Get("If-Range") != "" && q.Fields.Get("If-Range") != tag:
		return whole
	}
	return inPart(whole, q.Range)
}

// Whole is the answer with all of the resource.
func (r *Resource) Whole() Response {
	sum := sha256.Sum256(r.Body)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return Response{
		Status: http.StatusOK, Type: r.Type, Body: bytes.Clone(r.Body),
		Fields: http1.Fields{{Name: "ETag", Value: tag}, {Name: "Accept-Ranges", Value: "bytes"}, {Name: "Cache-Control", Value: r.caching()}},
	}
}

func (r *Resource) caching() string {
	if r.MaxAge > 0 {
		return fmt.Sprintf("max-age=%.0f", r.MaxAge.Seconds())
	}
	return "no-cache"
}

// inPart is the answer to a request for one range of bytes; a Range that is not understood is passed over.
func inPart(whole Response, asked string) Response {
	size := len(whole.Body)
	spec, ok := strings.CutPrefix(asked, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return whole
	}
	from, err := strconv.Atoi(first)
	to := size - 1
	if first == "" { // the last bytes
		var n int
		if n, err = strconv.Atoi(last); err == nil {
			from = max(size-n, 0)
		}
	} else if last != "" && err == nil {
		to, err = strconv.Atoi(last)
	}
	if err != nil || from < 0 || to < 0 {
		return whole
	}
	if from >= size || from > to {
		return Unsatisfiable(size)
	}
	to = min(to, size-1)
	whole.Status = http.StatusPartialContent
	whole.Body = whole.Body[from : to+1]
	whole.Fields = append(whole.Fields, http1.Field{Name: "Content-Range", Value: fmt.Sprintf("bytes %d-%d/%d", from, to, size)})
	return whole
}

// Unsatisfiable is the answer to a range that a resource of that size does not have.
func Unsatisfiable(size int) Response {
	p := Problem(http.StatusRequestedRangeNotSatisfiable)
	p.Fields = http1.Fields{{Name: "Content-Range", Value: fmt.Sprintf("bytes */%d", size)}}
	return p
}

// Problem is an answer with a status of failure, as APIs give it (RFC 9457).
func Problem(status int) Response {
	return Response{
		Status: status, Type: "application/problem+json",
		Body: fmt.Appendf(nil, `{"title":%q,"status":%d}`, http.StatusText(status), status),
	}
}

// Later is an answer with a status of failure and Retry-After in seconds (RFC 9110 section 10.2.3).
func Later(status, seconds int) Response {
	p := Problem(status)
	p.Fields = append(p.Fields, http1.Field{Name: "Retry-After", Value: strconv.Itoa(seconds)})
	return p
}

// LaterThan is Later with dates, that of the answer and that until which to wait.
func LaterThan(status int, now, until time.Time) Response {
	p := Problem(status)
	p.Fields = append(p.Fields,
		http1.Field{Name: "Date", Value: now.UTC().Format(http.TimeFormat)}, http1.Field{Name: "Retry-After", Value: until.UTC().Format(http.TimeFormat)})
	return p
}

// Redirect sends a client elsewhere (RFC 9110 section 15.4).
func Redirect(status int, location string) Response {
	return Response{
		Status: status, Type: "text/html", Body: []byte("<html><body>Moved.</body></html>\n"),
		Fields: http1.Fields{{Name: "Location", Value: location}},
	}
}

// Page is a page for people, as portals and broken load balancers give it for everything.
func Page(title string) Response {
	return Response{
		Status: http.StatusOK, Type: "text/html; charset=utf-8",
		Body: []byte("<!DOCTYPE html>\n<html><head><title>" + title + "</title></head><body><h1>" + title + "</h1></body></html>\n"),
	}
}
