// Package proxy is an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), requests for plain http that it forwards, and what proxies of companies
// and hotels do beyond that: they want a password, cut idle tunnels, reset them, or break TLS open with an authority of their own.
//
// It dials through a function that it is given. Each way to misbehave is one method that returns its undo.
package proxy

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

const (
	requestWait = 60 * time.Second // of device time for a request
	dialWait    = 10 * time.Second
)

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Clock *clock.Clock
	Log   *evidence.Log
	Dial  func(ctx context.Context, address string) (net.Conn, error) // to host:port, by TCP
}

// Asked is the Data of an In event.
type Asked struct {
	Method      string `json:"method"`
	Target      string `json:"target"`
	Credentials bool   `json:"credentials"` // it came with Proxy-Authorization
	Right       bool   `json:"right"`       // which holds what was demanded
}

// Server is a running proxy. It is safe for concurrent use.
type Server struct {
	o       Options
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	serving sync.WaitGroup
	conns   sync.Map // of net.Conn

	demands    link.Stack[string]        // Basic credentials
	refusals   link.Stack[int]           // statuses
	idle       link.Stack[time.Duration] // device time
	resets     link.Stack[struct{}]
	intercepts link.Stack[intercept]
}

// New returns a proxy without connections.
func New(o Options) *Server {
	s := &Server{o: o}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends everything and waits for it.
func (s *Server) Close() {
	s.cancel()
	s.conns.Range(func(c, _ any) bool {
		_ = c.(net.Conn).Close() // its reader hears of it
		return true
	})
	s.serving.Wait()
}

// Demand answers 407 to whoever has not this user and password (RFC 9110 section 15.5.8, RFC 7617).
func (s *Server) Demand(user, password string) (undo func()) {
	return s.impair("a password is demanded", s.demands.Push("Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password))))
}

// Refuse answers requests with a status.
func (s *Server) Refuse(status int) (undo func()) {
	return s.impair(fmt.Sprintf("requests are answered with %d", status), s.refusals.Push(status))
}

// CutIdle drops tunnels, new ones and old, on which nothing passed for d of device time, without a word to either side.
func (s *Server) CutIdle(d time.Duration) (undo func()) {
	return s.impair("idle tunnels are cut after "+d.String(), s.idle.Push(d))
}

// Reset resets tunnels as soon as the client sends something through them.
func (s *Server) Reset() (undo func()) {
	return s.impair("tunnels are reset", s.resets.Push(struct{}{}))
}

// impair logs that a misbehaviour began and returns its undo, which logs the end; only its first call does something.
func (s *Server) impair(text string, heal func()) (undo func()) {
	s.o.Log.Add(evidence.Event{Part: s.o.Part, Kind: evidence.Impair, Text: text})
	return sync.OnceFunc(func() {
		heal()
		s.o.Log.Add(evidence.Event{Part: s.o.Part, Kind: evidence.Heal, Text: text})
	})
}

// Serve speaks with one client until the connection ends, and closes nc.
func (s *Server) Serve(nc net.Conn) {
	defer nc.Close()
	if s.ctx.Err() != nil {
		return
	}
	s.serving.Add(1)
	defer s.serving.Done()
	s.conns.Store(nc, nil)
	defer s.conns.Delete(nc)
	c := &conn{Conn: nc, s: s, number: endpoint.NumberOf(nc), in: bufio.NewReader(nc)}
	for c.exchange() {
	}
}

// conn is one connection of a client.
type conn struct {
	net.Conn
	s      *Server
	number int
	in     *bufio.Reader
}

// Read reads what is behind the request.
func (c *conn) Read(b []byte) (int, error) { return c.in.Read(b) }

func (c *conn) add(e evidence.Event) {
	e.Part, e.Conn = c.s.o.Part, c.number
	c.s.o.Log.Add(e)
}

// exchange takes one request. It reports whether the connection goes on with another.
func (c *conn) exchange() bool {
	_ = c.SetReadDeadline(c.s.o.Clock.Deadline(requestWait))
	q, err := http1.ReadRequest(c.in, http1.Limits{})
	var bad *http1.Error
	switch {
	case errors.As(err, &bad):
		c.add(evidence.Event{Kind: evidence.Bad, Text: bad.Error()})
		c.answer(bad.Status)
		return false
	case err != nil:
		return false
	}
	_ = c.SetDeadline(c.s.o.Clock.Deadline(0))
	demanded, demands := c.s.demands.Top()
	said := q.Fields.Get("Proxy-Authorization")
	asked := &Asked{Method: q.Method, Target: q.Target, Credentials: said != "", Right: demands && said == demanded}
	if q.Method != "CONNECT" {
		asked.Target = q.Host() + q.Path() // the query may hold secrets
	}
	c.add(evidence.Event{Kind: evidence.In, Text: q.Method + " " + asked.Target, Size: q.Size, Data: asked})
	if demands && !asked.Right {
		c.answer(407, http1.Field{Name: "Proxy-Authenticate", Value: `Basic realm="proxy"`})
		return !q.Closes()
	}
	if status, refuses := c.s.refusals.Top(); refuses {
		c.answer(status)
		return !q.Closes()
	}
	ctx, cancel := c.s.o.Clock.Timeout(c.s.ctx, dialWait)
	defer cancel()
	if q.Method == "CONNECT" {
		c.tunnel(ctx, q.Target)
		return false
	}
	c.forward(ctx, q)
	return false
}

// answer writes an answer of the proxy's own, without a body.
func (c *conn) answer(status int, fields ...http1.Field) {
	text := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\n", status, reason(status))
	for _, f := range fields {
		text += f.Name + ": " + f.Value + "\r\n"
	}
	c.add(evidence.Event{Kind: evidence.Out, Text: fmt.Sprintf("%d %s", status, reason(status))})
	_, _ = io.WriteString(c.Conn, text+"\r\n") // a client that is gone is noticed by the next read
}

func reason(status int) string {
	switch status {
	case 400:
		return "Bad Request"
	case 403:
		return "Forbidden"
	case 407:
		return "Proxy Authentication Required"
	case 502:
		return "Bad Gateway"
	case 503:
		return "Service Unavailable"
	}
	return "Refused"
}
