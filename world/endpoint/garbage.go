package endpoint

import (
	"bytes"
	"fmt"
	"io"

	"github.com/shakedown-test/shakedown/link"
)

// Garbage answers with b in place of a handshake, or at once on a plain endpoint, and then waits for the part to end the connection.
func (e *Endpoint) Garbage(b []byte) (undo func()) {
	b = bytes.Clone(b)
	return e.impair(fmt.Sprintf("garbage: %d bytes", len(b)), e.scripts.Push(func(c *link.Conn, hello *Hello) {
		c.SetDeadline(e.o.Clock.Deadline(Patience))
		c.Write(b) // that it failed shows as the link's Close event
		if hello != nil {
			e.addReaction(c, State{})
			return
		}
		io.Copy(io.Discard, &conn{Conn: c, under: c, e: e})
	}))
}
