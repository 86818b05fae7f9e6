package tree

import (
	"context"
	"io"
	"sync/atomic"
)

// magicIndex finds where a searched format may begin.
type magicIndex struct {
	first [1 << 16]bool // by the first two bytes of a magic, little-endian
	by    map[uint16][]candidate
	ahead int // the longest magic
}

type candidate struct {
	format *Format
	magic  Magic
}

func newMagicIndex(formats []Format) *magicIndex {
	x := &magicIndex{by: map[uint16][]candidate{}}
	for i := range formats {
		if !formats[i].Search {
			continue
		}
		for _, m := range formats[i].Magic {
			key := uint16(m.Bytes[0]) | uint16(m.Bytes[1])<<8
			x.first[key] = true
			x.by[key] = append(x.by[key], candidate{&formats[i], m})
			x.ahead = max(x.ahead, len(m.Bytes))
		}
	}
	return x
}

// window is how much is looked through at once.
const window = 1 << 20

// enough is how many bytes a format may read in vain, beside four times what there is: who builds a file of nothing but beginnings must
// not make each of them cost as much as the whole.
const enough = 64 << 20

// counted counts the bytes that are read.
type counted struct {
	io.ReaderAt
	bytes atomic.Int64
}

func (c *counted) ReadAt(b []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, at)
	c.bytes.Add(int64(n))
	return n, err
}

// search looks from an offset on for formats in the midst of other data, and makes parts of what it finds and of what lies between.
func (e *explorer) search(ctx context.Context, n *Node, from int64) error {
	found := len(n.Children) > 0
	free := from                // where the bytes begin that nobody claims yet
	vain := map[*Format]int64{} // bytes that were read of what a format was not
	patience := enough + 4*n.Data.Size()
	buffer := make([]byte, min(window+int64(e.magic.ahead), n.Data.Size()-from))
	for base := from; base < n.Data.Size(); base += window {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := n.Data.ReadAt(buffer[:min(int64(len(buffer)), n.Data.Size()-base)], base)
		if err != nil && err != io.EOF {
			return err
		}
		b := buffer[:got]
		if c, same := Uniform(b); same && !e.magic.first[uint16(c)|uint16(c)<<8] {
			continue
		}
		for i := 0; i+1 < len(b) && i < window; i++ {
			key := uint16(b[i]) | uint16(b[i+1])<<8
			if !e.magic.first[key] {
				continue
			}
			for _, c := range e.magic.by[key] {
				at := base + int64(i) - c.magic.At
				if at < free || at == 0 || i+len(c.magic.Bytes) > len(b) || string(b[i:i+len(c.magic.Bytes)]) != c.magic.Bytes {
					continue
				}
				if vain[c.format] > patience {
					continue
				}
				data := &counted{ReaderAt: n.Data}
				part, err := e.try(ctx, c.format, io.NewSectionReader(data, at, n.Data.Size()-at), true)
				if err != nil {
					return err
				}
				if part == nil {
					if vain[c.format] += data.bytes.Load(); vain[c.format] > patience {
						n.Notes = append(n.Notes, Note{Offset: at, Text: "too much looks like " + c.format.Title + " and is none: it is not looked for from here on"})
					}
					continue
				}
				if err := e.room(); err != nil {
					return err
				}
				e.gap(n, free, at)
				size := n.Data.Size() - at
				if part.end > 0 {
					size = part.end
				}
				e.claim(n, part, at, size)
				found, free = true, at+size
				i = int(free-base) - 1 // behind it; beyond the window this ends the loop
				break
			}
		}
		if next := free - window; next > base { // go on where the part ends
			base = next
		}
	}
	if found {
		e.gap(n, free, n.Data.Size())
	}
	return nil
}

// gap makes a part of bytes that nobody claims.
func (e *explorer) gap(n *Node, from, to int64) {
	if from >= to {
		return
	}
	e.nodes++
	e.told += nodeWeight
	n.Children = append(n.Children, &Node{Name: "data", Offset: from, Parent: n, done: true, Data: io.NewSectionReader(n.Data, from, to-from)})
}
