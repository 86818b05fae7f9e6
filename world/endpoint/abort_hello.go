package endpoint

import "github.com/shakedown-test/shakedown/link"

// AbortHello ends each connection after its ClientHello, with a RST or a FIN.
func (e *Endpoint) AbortHello(reset bool) (undo func()) {
	text := "handshake aborted with a FIN"
	if reset {
		text = "handshake aborted with a RST"
	}
	return e.impair(text, e.scripts.Push(func(c *link.Conn, _ *Hello) {
		if reset {
			c.Reset()
		} // else the FIN comes as with every connection that is done
	}))
}
