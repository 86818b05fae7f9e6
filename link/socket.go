package link

import "net"

// waiting is how much a connection reads at once that has to have a buffer while it waits.
const waiting = 8 << 10

// readChunk reads a connection that does not say when there is something to read. It waits with a buffer of its own, which is smaller
// than a chunk.
func readChunk(from net.Conn) (*chunk, error) {
	buf := make([]byte, waiting)
	n, err := from.Read(buf)
	if n == 0 {
		return nil, err
	}
	c := newChunk()
	c.to = copy(c.bytes[:], buf[:n])
	return c, err
}
