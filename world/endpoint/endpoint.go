package endpoint

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Patience is how long, in device time, an endpoint waits for a handshake to end before it closes the connection.
const Patience = 60 * time.Second

// TLS is how an endpoint presents itself. Zero values are crypto/tls's defaults for a server.
type TLS struct {
	Certificate            *tls.Certificate
	MinVersion, MaxVersion uint16
	CipherSuites           []uint16 // TLS 1.2 and below
	ClientCAs              *x509.CertPool
	ClientAuth             tls.ClientAuthType
	NoTickets              bool // no session resumption
	RecordSize             int  // bytes of application data in a record, at most 16384, as far as one write fills it; 0 is the default
	HandshakeFragment      int  // at most so many bytes in a plaintext handshake record; 0 is the default; TLS 1.2 and below
}

// Options is what New needs.
type Options struct {
	Part   string // the part of its events
	Clock  *clock.Clock
	Log    *evidence.Log
	Stream *link.Stream   // closed by the endpoint's Close
	TLS    *TLS           // nil: plain TCP
	Handle func(net.Conn) // the stand-in; the connection is closed when it returns, and it must return when the connection ends
}

// Endpoint accepts the connections of one link. It is safe for concurrent use.
type Endpoint struct {
	o       Options
	faces   link.Stack[*face]
	scripts link.Stack[script]
	diverts link.Stack[func(net.Conn)]
	tasks   sync.WaitGroup
}

// face is a TLS with its crypto/tls configuration, which holds the ticket keys and is therefore made once.
type face struct {
	TLS
	config *tls.Config
}

// script replaces the handshake of a connection. hello is nil on a plain endpoint.
type script func(c *link.Conn, hello *Hello)

// New starts an endpoint. Each connection is served in a goroutine of its own.
func New(o Options) *Endpoint {
	e := &Endpoint{o: o}
	if o.TLS != nil {
		e.faces.Push(newFace(*o.TLS))
	}
	e.tasks.Go(func() {
		for {
			c, err := o.Stream.Accept()
			if err != nil {
				return
			}
			e.tasks.Go(func() { e.serve(c) })
		}
	})
	return e
}

// Close closes the link with all its connections and waits for the handlers to return.
func (e *Endpoint) Close() error {
	err := e.o.Stream.Close()
	e.tasks.Wait()
	return err
}

// Present changes the TLS of handshakes from now on. On a plain endpoint it has no effect.
func (e *Endpoint) Present(t TLS) (undo func()) {
	return e.impair("other TLS settings", e.faces.Push(newFace(t)))
}

// Divert hands connections from now on to another stand-in, which must return when the connection ends.
func (e *Endpoint) Divert(to string, handle func(net.Conn)) (undo func()) {
	return e.impair("connections go to "+to, e.diverts.Push(handle))
}

// handle gives a connection to the stand-in.
func (e *Endpoint) handle(c net.Conn) {
	if other, ok := e.diverts.Top(); ok {
		other(c)
		return
	}
	e.o.Handle(c)
}

func newFace(t TLS) *face {
	config := &tls.Config{
		MinVersion: t.MinVersion, MaxVersion: t.MaxVersion, CipherSuites: t.CipherSuites,
		ClientCAs: t.ClientCAs, ClientAuth: t.ClientAuth, SessionTicketsDisabled: t.NoTickets,
		DynamicRecordSizingDisabled: t.RecordSize > 0, // which would begin with records that fit a packet
	}
	if t.Certificate != nil {
		config.Certificates = []tls.Certificate{*t.Certificate}
	}
	return &face{TLS: t, config: config}
}

func (e *Endpoint) serve(c *link.Conn) {
	defer c.Close()
	if e.o.TLS != nil {
		e.serveTLS(c)
		return
	}
	if run, ok := e.scripts.Top(); ok {
		run(c, nil)
		return
	}
	e.handle(&conn{Conn: c, under: c, e: e})
}

// impair logs that a misbehaviour began and returns its undo, which logs the end; only its first call does something.
func (e *Endpoint) impair(text string, heal func()) (undo func()) {
	e.add(evidence.Event{Kind: evidence.Impair, Text: text})
	return sync.OnceFunc(func() {
		heal()
		e.add(evidence.Event{Kind: evidence.Heal, Text: text})
	})
}

func (e *Endpoint) add(v evidence.Event) {
	v.Part = e.o.Part
	e.o.Log.Add(v)
}
