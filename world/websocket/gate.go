// Package websocket lets MQTT clients in over WebSocket (RFC 6455; MQTT 5.0 section 6): it holds the opening handshake, and hands the
// stream of bytes behind it to a broker. Each way to misbehave is one method that returns its undo; the latest one in force counts, for
// handshakes or frames from then on.
package websocket

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/wire/ws"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

const (
	// Path is where the WebSocket is.
	Path = "/mqtt"
	// Subprotocol is what clients of MQTT must offer and servers choose [MQTT-6.0.0-3], [MQTT-6.0.0-4].
	Subprotocol = "mqtt"

	upgradeWait = 30 * time.Second // of device time, for the handshake
	closeWait   = 5 * time.Second  // for the client's end after a close frame
)

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Clock *clock.Clock
	Log   *evidence.Log
	Serve func(net.Conn) // the broker; it must return when the connection ends
}

// Gate is a running gate. It is safe for concurrent use.
type Gate struct {
	o       Options
	accepts link.Stack[func(key string) string]
	chooses link.Stack[string] // subprotocol; empty: none
	status  link.Stack[int]    // in place of 101
	shapes  link.Stack[func(b []byte) []ws.Frame]

	mu    sync.Mutex
	conns map[int]*ws.Conn
}

// Answered is the Data of a Seen event that tells of a pong.
type Answered struct {
	Payload string `json:"payload"`
}

// New returns a gate without connections.
func New(o Options) *Gate { return &Gate{o: o, conns: map[int]*ws.Conn{}} }

// WrongAccept answers handshakes with the Sec-WebSocket-Accept of another key.
func (g *Gate) WrongAccept() (undo func()) {
	return g.impair("wrong Sec-WebSocket-Accept", g.accepts.Push(func(string) string { return ws.AcceptKey("dGhlIHNhbXBsZSBub25jZQ==") }))
}

// Choose answers handshakes with a subprotocol, whatever was offered; an empty one is none.
func (g *Gate) Choose(protocol string) (undo func()) {
	return g.impair(fmt.Sprintf("subprotocol %q", protocol), g.chooses.Push(protocol))
}

// Refuse answers handshakes with a status in place of 101.
func (g *Gate) Refuse(status int) (undo func()) {
	return g.impair(fmt.Sprintf("handshakes are answered with %d", status), g.status.Push(status))
}

// Shape puts what the broker writes at once into frames as f does. Frames of the connection itself may be among them.
func (g *Gate) Shape(text string, f func(b []byte) []ws.Frame) (undo func()) {
	return g.impair(text, g.shapes.Push(f))
}

// impair logs that a misbehaviour began and returns its undo, which logs the end; only its first call does something.
func (g *Gate) impair(text string, heal func()) (undo func()) {
	g.add(0, evidence.Event{Kind: evidence.Impair, Text: text})
	return sync.OnceFunc(func() {
		heal()
		g.add(0, evidence.Event{Kind: evidence.Heal, Text: text})
	})
}

func (g *Gate) add(number int, e evidence.Event) {
	e.Part, e.Conn = g.o.Part, number
	g.o.Log.Add(e)
}

// Close ends connection number with a close frame; the TCP connection follows when the client has answered, or a while later.
func (g *Gate) Close(number int, code uint16, reason string) {
	g.mu.Lock()
	c := g.conns[number]
	g.mu.Unlock()
	if c == nil {
		return
	}
	g.add(number, evidence.Event{Kind: evidence.Out, Text: fmt.Sprintf("close %d", code)})
	_ = c.SendClose(code, reason) // a connection that has ended is noticed by its reader
	g.o.Clock.AfterFunc(closeWait, func() { _ = c.Close() })
}

// Handle holds the handshake on nc and then has the broker serve it. It closes nc.
func (g *Gate) Handle(nc net.Conn) {
	defer nc.Close()
	number := endpoint.NumberOf(nc)
	_ = nc.SetDeadline(g.o.Clock.Deadline(upgradeWait))
	in := bufio.NewReader(nc)
	q, err := http1.ReadRequest(in, http1.Limits{})
	if err != nil {
		if bad := (*http1.Error)(nil); errors.As(err, &bad) {
			g.add(number, evidence.Event{Kind: evidence.Bad, Text: "opening handshake: " + bad.Error()})
		}
		return
	}
	up, err := ws.ParseUpgrade(q)
	if err != nil {
		g.add(number, evidence.Event{Kind: evidence.Bad, Text: "opening handshake: " + err.Error()})
		g.refuse(nc, http.StatusBadRequest)
		return
	}
	g.add(number, evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf("WebSocket handshake for %s, offers %q", up.Path, up.Protocols), Data: &up})
	if !g.answer(nc, up) {
		return
	}
	_ = nc.SetDeadline(g.o.Clock.Deadline(0))
	g.serve(nc, in, number)
}

// answer ends the handshake. It reports whether there is a WebSocket now.
func (g *Gate) answer(nc net.Conn, up ws.Upgrade) bool {
	if status, ok := g.status.Top(); ok {
		g.refuse(nc, status)
		return false
	}
	protocol, odd := g.chooses.Top()
	switch {
	case odd:
	case !slices.Contains(up.Protocols, Subprotocol):
		g.add(endpoint.NumberOf(nc), evidence.Event{Kind: evidence.Bad, Text: "does not offer the subprotocol mqtt [MQTT-6.0.0-3]"})
	default:
		protocol = Subprotocol
	}
	accept := ws.AcceptKey(up.Key)
	if f, ok := g.accepts.Top(); ok {
		accept = f(up.Key)
	}
	text := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n"
	if protocol != "" {
		text += "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	_, err := io.WriteString(nc, text+"\r\n")
	return err == nil
}

func (g *Gate) refuse(nc net.Conn, status int) {
	_, _ = io.WriteString(nc, fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status, http.StatusText(status)))
}

// serve gives the stream to the broker.
func (g *Gate) serve(nc net.Conn, in *bufio.Reader, number int) {
	c := ws.NewConn(nc, in, ws.Options{
		Limit: 4 << 20,
		Shape: func(b []byte) []ws.Frame {
			if shape, ok := g.shapes.Top(); ok {
				return shape(b)
			}
			return []ws.Frame{{Fin: true, Op: ws.Binary, Payload: b}}
		},
		Control: func(f ws.Frame) bool {
			text := f.Op.String()
			e := evidence.Event{Kind: evidence.Seen, Text: text}
			if f.Op == ws.Pong {
				e.Data = &Answered{Payload: string(f.Payload)}
			}
			g.add(number, e)
			return false
		},
	})
	g.mu.Lock()
	g.conns[number] = c
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.conns, number)
		g.mu.Unlock()
	}()
	g.o.Serve(&watched{Conn: c, g: g, number: number})
}

// watched notes where a client violates the protocol.
type watched struct {
	*ws.Conn
	g      *Gate
	number int
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if bad := (*ws.Error)(nil); errors.As(err, &bad) {
		w.g.add(w.number, evidence.Event{Kind: evidence.Bad, Text: "WebSocket: " + bad.Error(), Data: bad})
	}
	return n, err
}

// Close ends the connection as a server does that has nothing more to say: with a close frame, unless there was one.
func (w *watched) Close() error {
	_ = w.SetWriteDeadline(w.g.o.Clock.Deadline(time.Second))
	_ = w.SendClose(ws.Normal, "") // the connection ends in any case
	return w.Conn.Close()
}
