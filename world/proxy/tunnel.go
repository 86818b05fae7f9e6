package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// established is the answer to a CONNECT that succeeds.
const established = "HTTP/1.1 200 Connection established\r\n\r\n"

// intercept gives the certificate with which the proxy poses as a host.
type intercept func(host string) (*tls.Certificate, error)

// Intercepted is the Data of a Seen event: what a client sent into a TLS session that the proxy broke open.
type Intercepted struct {
	Host string `json:"host"`
	Size int    `json:"size"` // bytes of the first piece; 0: the client ended the session
	Text string `json:"-"`    // the first piece
}

// Intercept breaks the TLS of tunnels open, with certificates that cert issues for the host asked for.
func (s *Server) Intercept(cert func(host string) (*tls.Certificate, error)) (undo func()) {
	return s.impair("TLS is broken open with a certificate of the proxy's own", s.intercepts.Push(cert))
}

// tunnel answers CONNECT and passes bytes both ways until one side ends.
func (c *conn) tunnel(ctx context.Context, target string) {
	if cert, ok := c.s.intercepts.Top(); ok {
		c.open(target, cert)
		return
	}
	far, err := c.s.o.Dial(ctx, target)
	if err != nil {
		c.add(evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf("cannot reach %s: %v", target, err)})
		c.answer(502)
		return
	}
	defer far.Close()
	c.add(evidence.Event{Kind: evidence.Out, Text: "200 Connection established"})
	if _, err := io.WriteString(c.Conn, established); err != nil {
		return
	}
	c.join(far)
}

// join passes bytes both ways.
func (c *conn) join(far net.Conn) {
	c.s.conns.Store(far, nil)
	defer c.s.conns.Delete(far)
	timer := &idleTimer{c: c, far: far, last: c.s.o.Clock.Passed()}
	timer.watch()
	defer timer.stop()
	done := make(chan struct{})
	c.s.serving.Go(func() {
		defer close(done)
		timer.copy(c.Conn, far)
		_ = c.Close() // a tunnel that has ended on one side is of no use
	})
	timer.copy(far, c)
	_ = far.Close()
	<-done
}

// idleTimer ends a tunnel on which nothing passed for as long as CutIdle says.
type idleTimer struct {
	c   *conn
	far net.Conn

	mu    sync.Mutex
	last  time.Duration // when something passed
	over  bool
	timer *time.Timer
}

// watch looks at the tunnel now and again.
func (t *idleTimer) watch() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	if d, ok := t.c.s.idle.Top(); ok && t.c.s.o.Clock.Passed()-t.last >= d {
		t.over = true
		t.c.add(evidence.Event{Kind: evidence.Seen, Text: "an idle tunnel is cut"})
		_ = t.far.Close()
		_ = endpoint.Reset(t.c.Conn) // the state of a proxy that forgets is gone
		return
	}
	t.timer = t.c.s.o.Clock.AfterFunc(time.Second, t.watch)
}

func (t *idleTimer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.timer != nil {
		t.timer.Stop()
	}
}

// copy passes bytes from one side to the other until one of them ends.
func (t *idleTimer) copy(to io.Writer, from io.Reader) {
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			t.mu.Lock()
			t.last = t.c.s.o.Clock.Passed()
			t.mu.Unlock()
			if _, resets := t.c.s.resets.Top(); resets && from == io.Reader(t.c) {
				_ = endpoint.Reset(t.c.Conn)
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// open poses as the host that the client wants to reach, and notes what it is told.
func (c *conn) open(target string, cert intercept) {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		host = target
	}
	own, err := cert(host)
	if err != nil {
		c.add(evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf("no certificate for %s: %v", host, err)})
		c.answer(502)
		return
	}
	if _, err := io.WriteString(c.Conn, established); err != nil {
		return
	}
	_ = c.SetDeadline(c.s.o.Clock.Deadline(requestWait))
	secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*own}})
	if err := secure.Handshake(); err != nil {
		c.add(evidence.Event{Kind: evidence.Alert, Text: refusal(err)})
		return
	}
	b := make([]byte, 4<<10)
	n, err := secure.Read(b)
	seen := &Intercepted{Host: host, Size: n, Text: string(b[:n])}
	text := fmt.Sprintf("%d bytes for %s came into the TLS session that was broken open", n, host)
	if n == 0 {
		text = "nothing came into the TLS session that was broken open: " + refusal(err)
	}
	c.add(evidence.Event{Kind: evidence.Seen, Text: text, Size: n, Data: seen})
	_ = secure.Close() // what could be learned was learned
}

// refusal says how a client ended a handshake or a session.
func refusal(err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "remote error":
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the client said nothing"
	}
	return "the client closed"
}

// forward passes on a request for plain http, one on each connection.
func (c *conn) forward(ctx context.Context, q *http1.Request) {
	u, err := url.Parse(q.Target)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		c.answer(400)
		return
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "80")
	}
	far, err := c.s.o.Dial(ctx, address)
	if err != nil {
		c.answer(502)
		return
	}
	defer far.Close()
	text := fmt.Sprintf("%s %s HTTP/1.1\r\n", q.Method, u.RequestURI())
	for _, f := range q.Fields {
		switch strings.ToLower(f.Name) {
		case "proxy-authorization", "proxy-connection", "connection", "content-length", "transfer-encoding":
			continue
		}
		text += f.Name + ": " + f.Value + "\r\n"
	}
	text += "Connection: close\r\n"
	if len(q.Body) > 0 {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(q.Body))
	}
	if _, err := io.WriteString(far, text+"\r\n"+string(q.Body)); err != nil {
		return
	}
	c.join(far)
}
