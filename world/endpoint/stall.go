package endpoint

import (
	"io"
	"sync"

	"github.com/shakedown-test/shakedown/link"
)

// Stall reads the ClientHello and never answers; the socket stays open until the part gives up. Undo ends what is still stalled.
func (e *Endpoint) Stall() (undo func()) {
	over := make(chan struct{})
	heal := e.scripts.Push(func(c *link.Conn, _ *Hello) {
		c.SetDeadline(e.o.Clock.Deadline(0))
		gone := make(chan struct{})
		var watch sync.WaitGroup
		defer watch.Wait()
		defer close(gone)
		watch.Go(func() {
			select {
			case <-over:
				c.Close()
			case <-gone:
			}
		})
		io.Copy(io.Discard, c) // until the part, or the undo, ends it
	})
	return e.impair("stalled handshake", func() {
		heal()
		close(over)
	})
}
