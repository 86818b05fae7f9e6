package disk

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// extRun is a stretch of blocks of a file.
type extRun struct {
	logical, physical, count int64
	hole                     bool // it reads as zeros; there is no physical
}

// runs calls f with the stretches of a file in their order; what none covers is a hole. Their count can be beyond the file's size.
func (x *extFS) runs(n *extInode, f func(extRun) error) error {
	next := int64(0)
	ordered := func(r extRun, at int64) error {
		if r.logical < next {
			return tree.Bad(at, "block %d of the file is mapped twice or out of order", r.logical)
		}
		if !r.hole && (r.physical <= 0 || r.physical+r.count > x.blocks) {
			return tree.Bad(at, "block %d of the file is said to be block %d", r.logical, r.physical)
		}
		next = r.logical + r.count
		return f(r)
	}
	if n.flags&extFlagExtents != 0 {
		return x.extents(n.area, n.at+40, -1, ordered)
	}
	for i := range int64(12) {
		if p := int64(binary.LittleEndian.Uint32(n.area[4*i:])); p != 0 {
			if err := ordered(extRun{i, p, 1, false}, n.at+40+4*i); err != nil {
				return err
			}
		}
	}
	per := x.block / 4
	from, span := int64(12), int64(1)
	for level := range int64(3) {
		at := n.at + 40 + 4*(12+level)
		if err := x.indirect(int64(binary.LittleEndian.Uint32(n.area[4*(12+level):])), at, int(level), from, span, n.size/x.block+1, ordered); err != nil {
			return err
		}
		span *= per
		from += span
	}
	return nil
}

// indirect reads a block of pointers, each of which covers span blocks, from block from on; level 0: they point to data.
func (x *extFS) indirect(p, at int64, level int, from, span, end int64, f func(extRun, int64) error) error {
	if p == 0 || from >= end {
		return nil
	}
	b, err := x.mapBlock(p, at)
	if err != nil {
		return err
	}
	for i := range x.block / 4 {
		q, at := int64(binary.LittleEndian.Uint32(b[4*i:])), p*x.block+4*i
		if q == 0 || from+i*span >= end {
			continue
		}
		if level == 0 {
			err = f(extRun{from + i, q, 1, false}, at)
		} else {
			err = x.indirect(q, at, level-1, from+i*span, span/(x.block/4), end, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// extents reads a node of an extent tree; depth is what it must have, -1 for the root.
func (x *extFS) extents(b []byte, at int64, depth int, f func(extRun, int64) error) error {
	count, is := int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint16(b[6:]))
	switch {
	case binary.LittleEndian.Uint16(b) != 0xf30a:
		return tree.Bad(at, "no node of an extent tree is here")
	case depth >= 0 && is != depth, is > 5, 12+12*count > len(b):
		return tree.Bad(at, "a node of an extent tree has depth %d and %d entries", is, count)
	}
	for i := range count {
		e, at := b[12+12*i:], at+12+12*int64(i)
		logical := int64(binary.LittleEndian.Uint32(e))
		var err error
		if is == 0 {
			r := extRun{logical: logical, count: int64(binary.LittleEndian.Uint16(e[4:]))}
			r.physical = int64(binary.LittleEndian.Uint16(e[6:]))<<32 | int64(binary.LittleEndian.Uint32(e[8:]))
			if r.count > 1<<15 { // set aside, not written yet
				r.count, r.hole = r.count-1<<15, true
			}
			if r.count > 0 {
				err = f(r, at)
			}
		} else {
			p := int64(binary.LittleEndian.Uint32(e[4:])) | int64(binary.LittleEndian.Uint16(e[8:]))<<32
			var child []byte
			if child, err = x.mapBlock(p, at); err == nil {
				err = x.extents(child, p*x.block, is-1, f)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mapBlock reads a block of a map, which is named at a place.
func (x *extFS) mapBlock(p, at int64) ([]byte, error) {
	if p <= 0 || p >= x.blocks {
		return nil, tree.Bad(at, "the map of the file is said to go on in block %d", p)
	}
	if x.left--; x.left < 0 {
		return nil, tree.Bad(at, "the maps of files take more blocks than there are")
	}
	return x.o.Read(p*x.block, int(x.block))
}

var errStop = errors.New("stop")

// contiguous says where a content lies when that is in one piece.
func (x *extFS) contiguous(n *extInode) (at int64, whole bool) {
	var first extRun
	left := x.left
	err := x.runs(n, func(r extRun) error {
		if r.logical*x.block >= n.size {
			return nil
		}
		if r.hole || r.logical != first.count || first.count > 0 && r.physical != first.physical+first.count {
			return errStop
		}
		if first.count == 0 {
			first.physical = r.physical
		}
		first.count += r.count
		return nil
	})
	whole = err == nil && n.size > 0 && first.count*x.block >= n.size && first.physical*x.block+n.size <= x.o.Size()
	if !whole {
		x.left = left - (left-x.left)/2 // they are read once more
	}
	return first.physical * x.block, whole
}

// content writes that of a file.
func (x *extFS) content(n *extInode, w io.Writer) error {
	written := int64(0)
	err := x.runs(n, func(r extRun) error {
		from, to := min(r.logical*x.block, n.size), min((r.logical+r.count)*x.block, n.size)
		if r.hole || from >= to {
			return nil
		}
		if err := x.holes.Write(w, from-written); err != nil {
			return err
		}
		written = from
		for at := r.physical * x.block; written < to; {
			part := min(to-written, 1<<20)
			b, err := x.o.Read(at, int(part))
			if err != nil {
				return err
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
			at, written = at+part, written+part
		}
		return nil
	})
	if err != nil {
		return err
	}
	return x.holes.Write(w, n.size-written)
}
