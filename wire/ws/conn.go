package ws

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// emptyFrames is how many frames without payload are taken in a row.
const emptyFrames = 100

// CloseError is the end of a connection by a close frame of the peer.
type CloseError struct {
	Code   uint16
	Reason string
}

func (e *CloseError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("closed with %d: %s", e.Code, e.Reason)
	}
	return fmt.Sprintf("closed with %d", e.Code)
}

// Is makes the end of a connection that was closed in order an io.EOF.
func (e *CloseError) Is(target error) bool { return target == io.EOF }

// Options say which side of a connection it is, and what else is to be.
type Options struct {
	Mask    func() [4]byte         // of a client: the key for the next frame; nil: a server, which does not mask
	Limit   int                    // bytes of a frame from the peer; 0: 1 MiB
	Shape   func(b []byte) []Frame // how bytes are put into frames; nil: into one binary frame
	Control func(f Frame) bool     // is shown control frames before they are answered, and may say that they are not to be; may be nil
}

// Conn carries a stream of bytes in binary messages. One goroutine may read and others write at the same time.
type Conn struct {
	nc      net.Conn
	in      *bufio.Reader
	o       Options
	rest    []byte // of the present frame, not yet read
	message bool   // a message has begun and not ended
	empty   int

	writing sync.Mutex
	closing bool // a close frame was sent
}

// NewConn makes a connection of one whose handshake is over; in holds what was read beyond it.
func NewConn(nc net.Conn, in *bufio.Reader, o Options) *Conn {
	if o.Limit == 0 {
		o.Limit = 1 << 20
	}
	return &Conn{nc: nc, in: in, o: o}
}

// Read gives the bytes of binary messages, answers pings, and ends with a *CloseError when the peer closes, which it answers, or with an
// *Error when the peer violates the protocol, of which it is told.
func (c *Conn) Read(b []byte) (int, error) {
	for len(c.rest) == 0 {
		f, err := ReadFrame(c.in, c.o.Limit)
		if err == nil {
			err = c.take(f)
		}
		if bad, ok := err.(*Error); ok {
			_ = c.SendClose(bad.Code, "") // the error is what matters
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// take handles one frame.
func (c *Conn) take(f Frame) error {
	switch client := c.o.Mask != nil; {
	case client && f.Masked:
		return wrong("a masked frame from a server (RFC 6455 section 5.1)")
	case !client && !f.Masked:
		return wrong("a frame of a client that is not masked (RFC 6455 section 5.1)")
	case f.Op.control():
		return c.control(f)
	case f.Op == Continuation && !c.message:
		return wrong("a continuation of nothing")
	case f.Op != Continuation && c.message:
		return wrong("a new message before the end of the one before")
	case f.Op == Text:
		return &Error{Reason: "a text frame [MQTT-6.0.0-1]", Code: Unsupported}
	}
	if c.empty++; len(f.Payload) > 0 {
		c.empty = 0
	}
	if c.empty > emptyFrames {
		return &Error{Reason: fmt.Sprintf("more than %d empty frames in a row", emptyFrames), Code: Policy}
	}
	c.message = !f.Fin
	c.rest = f.Payload
	return nil
}

// control handles a frame about the connection.
func (c *Conn) control(f Frame) error {
	handled := c.o.Control != nil && c.o.Control(f)
	switch {
	case f.Op == Ping && !handled:
		return c.send(Frame{Fin: true, Op: Pong, Payload: f.Payload})
	case f.Op != Close:
		return nil
	}
	e := &CloseError{Code: NoCode}
	if len(f.Payload) == 1 {
		return wrong("a close frame with half a code")
	}
	if len(f.Payload) >= 2 {
		e.Code, e.Reason = binary.BigEndian.Uint16(f.Payload), string(f.Payload[2:])
	}
	if !handled {
		code := e.Code
		if code == NoCode {
			code = Normal
		}
		_ = c.SendClose(code, "") // the connection ends in any case
	}
	return e
}

// Write sends b in frames.
func (c *Conn) Write(b []byte) (int, error) {
	frames := []Frame{{Fin: true, Op: Binary, Payload: b}}
	if c.o.Shape != nil {
		frames = c.o.Shape(b)
	}
	if err := c.send(frames...); err != nil {
		return 0, err
	}
	return len(b), nil
}

// SendClose sends a close frame, the first time that it is called.
func (c *Conn) SendClose(code uint16, reason string) error {
	c.writing.Lock()
	sent := c.closing
	c.closing = true
	c.writing.Unlock()
	if sent {
		return nil
	}
	return c.send(Frame{Fin: true, Op: Close, Payload: append(binary.BigEndian.AppendUint16(nil, code), reason...)})
}

func (c *Conn) send(frames ...Frame) error {
	var raw []byte
	for _, f := range frames {
		if c.o.Mask != nil {
			f.Masked, f.Key = true, c.o.Mask()
		}
		raw = f.Append(raw)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.nc.Write(raw)
	return err
}
