package web

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
)

// Request is the Data of an In event. What may be secret is left out where it is written.
type Request struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Query  string   `json:"-"`
	Host   string   `json:"host"`
	Proto  string   `json:"proto"`
	Names  []string `json:"fields"`                  // names of its fields
	Scheme string   `json:"authorization,omitempty"` // of its Authorization: "Bearer", without the token
	Range  string   `json:"range,omitempty"`
	Size   int      `json:"body"` // bytes of its body

	Conn          int          `json:"-"` // number of the connection
	Nth           int          `json:"-"` // which request of the connection it is, from 1
	Authorization string       `json:"-"`
	Fields        http1.Fields `json:"-"`
	Body          []byte       `json:"-"`
}

func newRequest(raw *http1.Request, number, nth int) *Request {
	q := &Request{
		Method: raw.Method, Path: raw.Path(), Host: raw.Host(), Proto: raw.Proto, Names: raw.Fields.Names(),
		Authorization: raw.Fields.Get("Authorization"), Range: raw.Fields.Get("Range"), Size: len(raw.Body),
		Conn: number, Nth: nth, Fields: raw.Fields, Body: raw.Body,
	}
	_, q.Query, _ = strings.Cut(raw.Target, "?")
	q.Scheme, _, _ = strings.Cut(q.Authorization, " ")
	if raw.Closes() {
		q.Fields = append(q.Fields, http1.Field{Name: "Connection", Value: "close"})
	}
	return q
}

// String is one line for people.
func (q *Request) String() string {
	text := fmt.Sprintf("%s %s, host %s", q.Method, clip(q.Path), q.Host)
	if q.Scheme != "" {
		text += ", with " + q.Scheme + " token"
	}
	if q.Range != "" {
		text += ", range " + q.Range
	}
	if q.Size > 0 {
		text += fmt.Sprintf(", %d bytes of body", q.Size)
	}
	return text
}

// closes reports whether the client ends the connection after the answer.
func (q *Request) closes() bool {
	return strings.Contains(strings.ToLower(q.Fields.Get("Connection")), "close")
}

// Got returns the request of an In event, if it is one.
func Got(e evidence.Event) (*Request, bool) {
	q, ok := e.Data.(*Request)
	return q, ok && e.Kind == evidence.In
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
