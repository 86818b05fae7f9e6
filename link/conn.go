package link

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// Traffic is the Data of a Close event: the bytes that passed on the connection until then.
type Traffic struct {
	Received int64 `json:"received"` // from the part
	Sent     int64 `json:"sent"`     // to the part
}

// Conn is the stand-in's end of one connection. It is a net.Conn. A goroutine of the link reads the socket ahead, so that the moment
// at which the part ends the connection is logged even when nobody reads.
type Conn struct {
	Number int // from 1, in the order of arrival on the link

	link   *Stream
	raw    net.Conn
	ctx    context.Context // ends when the connection does
	cancel context.CancelFunc

	writing sync.Mutex // held by one Write at a time

	mu       sync.Mutex
	waiters  int
	changed  chan struct{} // closed and replaced when anything below changes and somebody waits for it
	hush     silence
	in       inbox
	onward   *onward // nil: no copy to a socket goes on
	end      error   // why nothing more will come from the part; io.EOF after its FIN
	pumping  bool
	wanted   ending // how the stand-in ended it; it may be held back
	shutdown bool   // ended on the wire by our side
	noted    bool   // the Close event is written
	read     deadline
	write    deadline
	traffic  Traffic
}

func newConn(s *Stream, raw net.Conn, number int, hush silence) *Conn {
	c := &Conn{Number: number, link: s, raw: raw, hush: hush, pumping: true, changed: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	c.read.ctx, c.write.ctx = c.ctx, c.ctx
	if hush == lost {
		c.wanted = byReset // no stand-in ever gets it
	}
	return c
}

// Traffic is how much has passed so far. What a black hole swallowed does not count.
func (c *Conn) Traffic() Traffic {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.traffic
}

// Read reads what the part sent. It blocks while the link is silent.
func (c *Conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.awaitBytes(nil); err != nil {
		return 0, err
	}
	n := c.in.read(b)
	c.wake()
	return n, nil
}

// WriteTo writes to w what the part sends, as Read would give it, until the part's FIN; it is what io.Copy uses.
// Nobody else may write to w meanwhile.
func (c *Conn) WriteTo(w io.Writer) (written int64, err error) {
	if written, err, possible := c.copyOn(w); possible {
		return written, err
	}
	for {
		c.mu.Lock()
		if err := c.awaitBytes(nil); err != nil {
			c.mu.Unlock()
			if err == io.EOF {
				err = nil
			}
			return written, err
		}
		some := c.in.take()
		c.wake()
		c.mu.Unlock()
		n, err := w.Write(some.bytes[some.from:some.to])
		some.free()
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// awaitBytes waits until there is something to read or for o to do, or says why nothing can be read; c.mu is held before and after.
func (c *Conn) awaitBytes(o *onward) error {
	for {
		switch {
		case c.wanted != open || c.shutdown:
			return net.ErrClosed
		case c.read.passed():
			return os.ErrDeadlineExceeded
		case c.hush == passing && (c.in.bytes > 0 || o.due()):
			return nil
		case c.hush == passing && c.end != nil:
			return c.end
		}
		c.await(c.read)
	}
}

// await waits for a change or for d; c.mu is held before and after.
func (c *Conn) await(d deadline) {
	changed := c.changed
	c.waiters++
	c.mu.Unlock()
	select {
	case <-changed:
	case <-d.ctx.Done():
	}
	c.mu.Lock()
	c.waiters--
}

// wake tells those who wait that something changed; c.mu is held.
func (c *Conn) wake() {
	if c.waiters == 0 {
		return
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// note logs the end of the connection, the first time it is called; c.mu is held.
func (c *Conn) note(text string) {
	if c.noted {
		return
	}
	c.noted = true
	c.link.add(evidence.Event{Conn: c.Number, Kind: evidence.Close, Text: text, Data: c.traffic})
}

// LocalAddr is the stand-in's address.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr is the part's address.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline sets both deadlines. As with every net.Conn they are wall time; clock.Deadline makes one from device time.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline ends a Read at t; the zero time takes the deadline away.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read.set(c.ctx, t)
	c.wake()
	return nil
}

// SetWriteDeadline ends a Write at t; the zero time takes the deadline away.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shutdown {
		return net.ErrClosed
	}
	c.write.set(c.ctx, t)
	c.wake()
	return c.raw.SetWriteDeadline(t)
}

// deadline is a context that ends at a wall time.
type deadline struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (d *deadline) set(parent context.Context, t time.Time) {
	if d.cancel != nil {
		d.cancel()
	}
	d.ctx, d.cancel = parent, nil
	if !t.IsZero() {
		d.ctx, d.cancel = context.WithDeadline(parent, t)
	}
}

func (d *deadline) passed() bool { return d.ctx.Err() == context.DeadlineExceeded }
