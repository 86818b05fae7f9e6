package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// The waits, in device time.
const (
	idleWait  = 5 * time.Minute  // for the next request on a connection
	writeWait = 60 * time.Second // for a client that does not read
)

// maxConns is how many connections are served at once; what comes beyond is closed.
const maxConns = 1000

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Clock *clock.Clock
	Log   *evidence.Log
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	o       Options
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	serving sync.WaitGroup

	mu        sync.Mutex
	conns     map[net.Conn]struct{}
	resources map[string]Resource
	rules     []*rule
	numbers   int
}

// Resource is what a path gives.
type Resource struct {
	Type   string // media type
	Body   []byte
	MaxAge time.Duration // clients need not ask again for so long; 0: they have to
}

// Rule says what is to be answered to which requests in place of the ordinary. Rules are consulted in order of their making, latest
// first; the first that matches answers.
type Rule struct {
	Path  string              // empty: any
	Match func(*Request) bool // nil: any
	Times int                 // how often it answers; 0: until undone
	Do    Answer
}

// Answer makes the response to a request. A Response with status 0 ends the connection without an answer.
type Answer func(*Request) Response

type rule struct {
	Rule
	left int
}

// New returns a server without connections.
func New(o Options) *Server {
	s := &Server{o: o, conns: map[net.Conn]struct{}{}, resources: map[string]Resource{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Set makes a path give a resource, from now on.
func (s *Server) Set(path string, r Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resources[path] = r
}

// Remove makes a path unknown.
func (s *Server) Remove(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.resources, path)
}

// When makes a rule; undo removes it, and may be called more than once.
func (s *Server) When(r Rule) (undo func()) {
	made := &rule{Rule: r, left: r.Times}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append([]*rule{made}, s.rules...)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rules = slices.DeleteFunc(slices.Clone(s.rules), func(x *rule) bool { return x == made })
	}
}

// Close ends all connections and waits for those who serve them. Later connections are closed at once.
func (s *Server) Close() {
	s.cancel()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close() // its reader hears of it
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// Serve speaks with one client over nc until the connection ends, and closes nc.
func (s *Server) Serve(nc net.Conn) {
	defer nc.Close()
	number, ok := s.enter(nc)
	if !ok {
		return
	}
	defer func() {
		s.mu.Lock()
		delete(s.conns, nc)
		s.mu.Unlock()
		s.serving.Done()
	}()
	c := &conn{Conn: nc, s: s, number: number, in: bufio.NewReader(nc)}
	for c.exchange() {
	}
}

func (s *Server) enter(nc net.Conn) (number int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil || len(s.conns) >= maxConns {
		return 0, false
	}
	s.conns[nc] = struct{}{}
	s.serving.Add(1)
	if number = endpoint.NumberOf(nc); number == 0 {
		s.numbers++
		number = s.numbers
	}
	return number, true
}

// conn is one connection of a client.
type conn struct {
	net.Conn
	s      *Server
	number int
	in     *bufio.Reader
	asked  int // requests so far
}

// exchange reads one request and answers it. It reports whether the connection goes on.
func (c *conn) exchange() bool {
	_ = c.SetReadDeadline(c.s.o.Clock.Deadline(idleWait))
	raw, err := http1.ReadRequest(c.in, http1.Limits{})
	if err != nil {
		c.broken(err)
		return false
	}
	c.asked++
	q := newRequest(raw, c.number, c.asked)
	c.add(evidence.Event{Kind: evidence.In, Text: q.String(), Size: raw.Size, Data: q})
	r := c.s.answer(q)
	if r.Status == 0 {
		c.add(evidence.Event{Kind: evidence.Out, Text: "no answer: the connection is closed"})
		return false
	}
	return c.send(q, r)
}

// broken deals with the end of reading.
func (c *conn) broken(err error) {
	var e *http1.Error
	switch {
	case errors.As(err, &e):
		c.add(evidence.Event{Kind: evidence.Bad, Text: e.Error()})
		c.send(&Request{Method: "GET"}, Response{Status: e.Status, Close: true})
	case errors.Is(err, io.ErrUnexpectedEOF):
		c.add(evidence.Event{Kind: evidence.Bad, Text: "the connection ends within a request"})
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.add(evidence.Event{Kind: evidence.Seen, Text: "no request for " + idleWait.String()})
	}
}

// answer finds the response: that of a rule, or the ordinary one.
func (s *Server) answer(q *Request) Response {
	if r := s.take(q); r != nil {
		return r(q)
	}
	return s.Ordinary(q)
}

// take is the answer of the first rule that matches.
func (s *Server) take(q *Request) Answer {
	s.mu.Lock()
	rules := s.rules
	s.mu.Unlock()
	for _, r := range rules {
		if r.Path != "" && r.Path != q.Path || r.Match != nil && !r.Match(q) {
			continue
		}
		s.mu.Lock()
		spent := r.Times > 0 && r.left == 0 || !slices.Contains(s.rules, r)
		if !spent && r.Times > 0 {
			r.left--
		}
		s.mu.Unlock()
		if !spent {
			return r.Do
		}
	}
	return nil
}

func (c *conn) add(e evidence.Event) int {
	e.Part, e.Conn = c.s.o.Part, c.number
	return c.s.o.Log.Add(e)
}
