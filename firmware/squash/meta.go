package squash

import (
	"errors"
	"fmt"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

const (
	metaSize   = 8192
	metaCached = 1024 // blocks: 8 MiB
)

// metaBlock is one block of metadata.
type metaBlock struct {
	data []byte
	next int64 // where the one after it lies
}

// block reads the metadata block at an offset.
func (m *image) block(at int64) (metaBlock, error) {
	if b, ok := m.meta[at]; ok {
		return b, nil
	}
	head, err := m.o.Read(at, 2)
	if err != nil {
		return metaBlock{}, err
	}
	size, packed := int(m.number(head)), true
	if size >= 0x8000 {
		size, packed = size-0x8000, false
	}
	if size == 0 {
		size = 0x8000
	}
	from := at + 2
	if m.marked {
		from++
	}
	data, err := m.o.Read(from, size)
	if err != nil {
		return metaBlock{}, err
	}
	if packed {
		if m.work += metaSize; m.work > m.maxWork() {
			return metaBlock{}, fmt.Errorf("%w: the same blocks are unpacked again and again", tree.ErrLimit)
		}
		if data, err = m.codec.unpack(make([]byte, 0, metaSize), data, metaSize); err != nil {
			return metaBlock{}, fault(at, "a block of metadata cannot be unpacked: %v", err)
		}
	}
	if len(data) > metaSize {
		return metaBlock{}, fault(at, "a block of metadata has %d bytes", len(data))
	}
	if len(m.meta) >= metaCached {
		clear(m.meta)
	}
	b := metaBlock{data, from + int64(size)}
	m.meta[at] = b
	return b, nil
}

// cursor is a place in metadata.
type cursor struct {
	m      *image
	block  int64
	offset int
}

// at is the place at an offset in the block that lies start bytes behind a table's begin.
func (m *image) at(table int64, start uint64, offset int) *cursor {
	return &cursor{m, table + int64(start&0xffffffffff), offset}
}

// read takes n bytes.
func (c *cursor) read(n int) ([]byte, error) {
	var b []byte
	for {
		m, err := c.m.block(c.block)
		if err != nil {
			return nil, err
		}
		if c.offset > len(m.data) {
			return nil, fault(c.block, "byte %d of a block of metadata is wanted, which has %d", c.offset, len(m.data))
		}
		rest := m.data[c.offset:]
		if len(rest) >= n && b == nil {
			c.offset += n
			return rest[:n:n], nil
		}
		take := min(n-len(b), len(rest))
		b = append(b, rest[:take]...)
		c.offset += take
		if len(b) == n {
			return b, nil
		}
		if len(m.data) == 0 {
			return nil, fault(c.block, "a block of metadata is empty")
		}
		c.block, c.offset = m.next, 0
	}
}

// fields takes n bytes as fields.
func (c *cursor) fields(n int) (*fields, error) {
	b, err := c.read(n)
	return &fields{b: b, order: c.m.order}, err
}

var errNoTable = errors.New("the table is not there")

// entry reads one of size bytes from a table whose metadata blocks are listed at an offset.
func (m *image) entry(table int64, i, size int) (*fields, error) {
	if table <= 0 {
		return nil, errNoTable
	}
	per := metaSize / size
	b, err := m.o.Read(table+8*int64(i/per), 8)
	if err != nil {
		return nil, err
	}
	at := m.number(b)
	if at > uint64(m.o.Size()) {
		return nil, fault(table, "a block of a table is said to lie at %#x", at)
	}
	return (&cursor{m, int64(at), i % per * size}).fields(size)
}
