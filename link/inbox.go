package link

import "sync"

// chunk is a piece of what a connection received. Chunks are used again, so that a connection needs memory only while there is something
// that nobody has read.
type chunk struct {
	bytes    [32 << 10]byte
	from, to int // what of it is not read yet
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func newChunk() *chunk {
	c := chunks.Get().(*chunk)
	c.from, c.to = 0, 0
	return c
}

func (c *chunk) free() { chunks.Put(c) }

// inbox is what a connection has received and nobody has read, in order. The zero value is empty.
type inbox struct {
	chunks []*chunk
	bytes  int
}

// add puts a chunk at the end and owns it from then on. Little is copied to where there is room, so that it does not take a whole chunk.
func (q *inbox) add(c *chunk) {
	n := c.to - c.from
	q.bytes += n
	if len(q.chunks) > 0 {
		if last := q.chunks[len(q.chunks)-1]; len(last.bytes)-last.to >= n {
			last.to += copy(last.bytes[last.to:], c.bytes[c.from:c.to])
			c.free()
			return
		}
	}
	q.chunks = append(q.chunks, c)
}

// read moves the beginning to b; the inbox is not empty.
func (q *inbox) read(b []byte) int {
	first := q.chunks[0]
	n := copy(b, first.bytes[first.from:first.to])
	first.from += n
	if q.bytes -= n; first.from == first.to {
		q.shift().free()
	}
	return n
}

// take is the first chunk, for the caller to free; the inbox is not empty.
func (q *inbox) take() *chunk {
	first := q.shift()
	q.bytes -= first.to - first.from
	return first
}

func (q *inbox) shift() *chunk {
	first := q.chunks[0]
	n := copy(q.chunks, q.chunks[1:])
	q.chunks[n] = nil
	q.chunks = q.chunks[:n]
	return first
}
