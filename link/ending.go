package link

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// linger is for how long, in device time, a connection that we ended with a FIN still takes what the part sends. Without it the
// kernel would answer late bytes with a RST, and the part would see a reset where it should see an orderly end.
const linger = time.Second

// ahead is how many received bytes a connection keeps for a stand-in that does not read.
const ahead = 64 << 10

// ending is how our side ends a connection.
type ending int

const (
	open ending = iota
	byFin
	byReset
)

func endingOf(reset bool) ending {
	if reset {
		return byReset
	}
	return byFin
}

func (e ending) String() string {
	if e == byReset {
		return "we reset"
	}
	return "we fin"
}

// Close ends the connection with a FIN. While the link is silent the FIN is held back.
func (c *Conn) Close() error { return c.finish(byFin) }

// Reset ends the connection with a RST. While the link is silent the RST is held back.
func (c *Conn) Reset() error { return c.finish(byReset) }

// CloseWrite sends a FIN and leaves the other direction open. A silent link swallows it.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wanted != open || c.shutdown {
		return net.ErrClosed
	}
	if c.hush != passing {
		return nil
	}
	half, ok := c.raw.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	c.note(byFin.String())
	return half.CloseWrite()
}

// finish is the end as the stand-in wants it.
func (c *Conn) finish(how ending) error {
	c.mu.Lock()
	if c.wanted != open || c.shutdown {
		c.mu.Unlock()
		return net.ErrClosed
	}
	c.wanted = how
	c.wake()
	held := c.hush != passing && c.end == nil
	c.mu.Unlock()
	if !held {
		c.shut(how)
	}
	return nil
}

// shut ends the connection on the wire and says whether it was open until then.
func (c *Conn) shut(how ending) bool {
	c.mu.Lock()
	if c.shutdown {
		c.mu.Unlock()
		return false
	}
	c.shutdown = true
	c.note(how.String())
	wasOpen, pumping := c.end == nil, c.pumping
	c.wake()
	c.mu.Unlock()
	c.cancel()

	if how == byReset {
		if l, ok := c.raw.(interface{ SetLinger(int) error }); ok {
			l.SetLinger(0) // a failure means that the socket is gone already
		}
		c.drop()
		return wasOpen
	}
	half, ok := c.raw.(interface{ CloseWrite() error })
	if !ok || !pumping || half.CloseWrite() != nil {
		c.drop()
		return wasOpen
	}
	c.raw.SetDeadline(c.link.clk.Deadline(linger)) // the pump ends at it and drops the socket
	return wasOpen
}

// drop closes the socket and gives its place on the link free.
func (c *Conn) drop() {
	c.raw.Close()
	c.link.forget(c)
}

// pump reads the socket until it ends.
func (c *Conn) pump() {
	from := newSocket(c.raw, c.divert)
	for more := true; more; {
		c.awaitRoom()
		some, err := from.next()
		if some == nil && err == nil {
			c.pass()
			continue
		}
		more = c.take(some, err)
	}
	c.mu.Lock()
	c.pumping = false
	gone := c.shutdown
	c.mu.Unlock()
	if gone {
		c.drop()
	}
}

func (c *Conn) awaitRoom() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for (c.in.bytes >= ahead || c.onward != nil && c.onward.full) && !c.discards() {
		c.await(deadline{ctx: c.ctx})
	}
}

// discards says whether what comes from the part is thrown away; c.mu is held.
func (c *Conn) discards() bool { return c.shutdown || c.wanted != open || c.hush == lost }

// take keeps what the pump read and says whether more can come. Some is nil with an error.
func (c *Conn) take(some *chunk, err error) bool {
	c.mu.Lock()
	switch {
	case some == nil:
	case c.discards():
		some.free()
	default:
		c.traffic.Received += int64(some.to - some.from)
		c.in.add(some)
	}
	if err != nil && !c.shutdown {
		c.end = err
		c.note(ended(err))
	}
	how, held := c.wanted, c.end != nil && c.wanted != open
	c.wake()
	c.mu.Unlock()
	if held { // the part gave up, so our own end, held back by a silent link, is due
		c.shut(how)
	}
	return err == nil
}

// Ended notes an end in a protocol above this one, as "peer close_notify": whoever ends the stream after that did not end the connection.
// The first end of all counts.
func (c *Conn) Ended(by string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.note(by)
}

// ended says who ended a connection whose read failed with err.
func ended(err error) string {
	switch {
	case err == io.EOF:
		return "peer fin"
	case isReset(err):
		return "peer reset"
	}
	return "error: " + err.Error()
}

// isReset reports whether err says that the part reset the connection. A write says so with EPIPE when a read was told before it.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || strings.Contains(err.Error(), "connection reset")
}
