package flash

import (
	"bytes"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

const (
	jffs2Accurate  = 0x2000 // cleared in nodes that are obsolete
	jffs2NameType  = 0xe001
	jffs2InodeType = 0xe002
	jffs2Marker    = 0x2003 // of an erased block

	jffs2NameHead  = 40
	jffs2InodeHead = 68

	jffs2Block = 64 << 10  // blocks of flash are at least so large
	jffs2Junk  = 512 << 10 // after so much that is neither a node nor empty it has ended
	jffs2Most  = 2 << 20   // nodes

	jffs2NodeMost = 1 << 20 // bytes of a node
	jffs2Versions = 1 << 18 // nodes whose versions are held against each other while they are read
)

// scan finds the nodes.
func (x *jffs2FS) scan() error {
	r := &reader{o: x.o}
	junk, empty := int64(0), false
	for at := int64(0); ; {
		head, err := r.at(at, 12)
		if err != nil {
			return err
		}
		if len(head) < 12 {
			break
		}
		if x.order.Uint32(head) == 0xffffffff {
			empty = true
			skipped, err := r.empty(at)
			if err != nil {
				return err
			}
			at += skipped &^ 3
			continue
		}
		kind, size := x.order.Uint16(head[2:]), int64(x.order.Uint32(head[4:]))
		if x.order.Uint16(head) != 0x1985 || size < 12 || size > x.o.Size()-at || !x.headFits(head) {
			empty = false
			at, junk = at+4, junk+4
			if junk > jffs2Junk {
				break
			}
			continue
		}
		if empty && at%jffs2Block == 0 {
			x.begins = append(x.begins, at)
		}
		junk, empty = 0, false
		if err := x.node(r, at, kind, size); err != nil {
			return err
		}
		if len(x.inodes)+len(x.names)+x.markers == 0 {
			return tree.ErrNot // the first must be sound
		}
		if len(x.inodes)+len(x.names) > jffs2Most {
			x.o.Note(at, "it has more than %d nodes; the rest is left out", jffs2Most)
			break
		}
		at += (size + 3) &^ 3
		x.end = min(at, x.o.Size())
		if x.other {
			break
		}
	}
	if block := min((x.end+jffs2Block-1)&^(jffs2Block-1), x.o.Size()); block > x.end {
		rest, err := r.empty(x.end)
		if err != nil {
			return err
		}
		if x.end+rest >= block {
			x.end = block
		}
	}
	return nil
}

// sound checks the heads of the first node.
func (x *jffs2FS) sound(b []byte) bool {
	switch kind := x.order.Uint16(b[2:]); {
	case !x.headFits(b):
		return false
	case kind == jffs2NameType:
		return len(b) >= jffs2NameHead && rawCRC(0, b[:32]) == x.order.Uint32(b[32:])
	case kind == jffs2InodeType:
		return len(b) >= jffs2InodeHead && rawCRC(0, b[:60]) == x.order.Uint32(b[64:])
	}
	return true
}

// headFits checks that of a node. A node that became obsolete was written before as one that was not.
func (x *jffs2FS) headFits(head []byte) bool {
	var b [8]byte
	copy(b[:], head)
	x.order.PutUint16(b[2:], x.order.Uint16(head[2:])|jffs2Accurate)
	return rawCRC(0, b[:]) == x.order.Uint32(head[8:])
}

// node keeps one when it counts.
func (x *jffs2FS) node(r *reader, at int64, kind uint16, size int64) error {
	switch {
	case kind == jffs2Marker:
		x.markers++
		return nil
	case kind&jffs2Accurate == 0:
		x.info.Obsolete++
		return nil
	case kind != jffs2NameType && kind != jffs2InodeType:
		return nil // a summary, padding, extended attributes
	}
	ok := size <= jffs2NodeMost && (at > 0 || size <= jffs2Block+jffs2InodeHead)
	if ok && kind == jffs2InodeType { // what cannot be is not read whole
		b, err := r.at(at, jffs2InodeHead)
		if err != nil {
			return err
		}
		ok = len(b) == jffs2InodeHead && rawCRC(0, b[:60]) == x.order.Uint32(b[64:])
	}
	if ok {
		b, err := r.at(at, int(size))
		if err != nil {
			return err
		}
		if kind == jffs2NameType {
			ok = x.name(at, b)
		} else {
			ok = x.inode(at, b)
		}
	}
	if !ok {
		x.info.Damaged++
	}
	return nil
}

func (x *jffs2FS) name(at int64, b []byte) bool {
	if len(b) < jffs2NameHead || rawCRC(0, b[:32]) != x.order.Uint32(b[32:]) || len(b) < jffs2NameHead+int(b[28]) {
		return false
	}
	name := b[jffs2NameHead:][:b[28]]
	if rawCRC(0, name) != x.order.Uint32(b[36:]) || len(name) == 0 || bytes.IndexByte(name, '/') >= 0 {
		return false
	}
	n := jffs2Name{
		at: at, parent: x.order.Uint32(b[12:]), version: x.order.Uint32(b[16:]), number: x.order.Uint32(b[20:]), crc: x.order.Uint32(b[32:]) ^ x.order.Uint32(b[36:]), name: string(name),
	}
	x.names = append(x.names, n)
	x.version([3]uint32{jffs2NameType, n.parent, n.version}, n.crc)
	return true
}

func (x *jffs2FS) inode(at int64, b []byte) bool {
	if len(b) < jffs2InodeHead {
		return false
	}
	n := jffs2Inode{
		at: at, number: x.order.Uint32(b[12:]), version: x.order.Uint32(b[16:]), offset: x.order.Uint32(b[44:]),
		packed: x.order.Uint32(b[48:]), length: x.order.Uint32(b[52:]), compression: b[56], crc: x.order.Uint32(b[64:]) ^ x.order.Uint32(b[60:]),
	}
	if int64(n.packed) > int64(len(b)-jffs2InodeHead) || rawCRC(0, b[jffs2InodeHead:][:n.packed]) != x.order.Uint32(b[60:]) {
		return false
	}
	x.inodes = append(x.inodes, n)
	x.version([3]uint32{jffs2InodeType, n.number, n.version}, n.crc)
	return true
}

// version notices at once when another file system begins, so that each of many is not read to the end of all.
func (x *jffs2FS) version(of [3]uint32, crc uint32) {
	if before, known := x.versions[of]; known {
		x.other = x.other || before != crc
	} else if len(x.versions) < jffs2Versions {
		x.versions[of] = crc
	}
}

// reader reads along data with a window.
type reader struct {
	o    *tree.Opening
	from int64
	b    []byte
	next int // how much is read at once: the more, the further it came
}

// at gives n bytes from an offset on, or what is there; they are good until the next call.
func (r *reader) at(at int64, n int) ([]byte, error) {
	if at < r.from || at+int64(n) > r.from+int64(len(r.b)) {
		r.next = min(max(2*r.next, 4096), 256<<10)
		b, err := r.o.Read(at, int(min(int64(max(n, r.next)), max(0, r.o.Size()-at))))
		if err != nil {
			return nil, err
		}
		r.from, r.b = at, b
	}
	b := r.b[at-r.from:]
	return b[:min(n, len(b))], nil
}

// empty is how many bytes from an offset on are as flash is after it was erased.
func (r *reader) empty(from int64) (int64, error) {
	for at := from; ; {
		b, err := r.at(at, 4096)
		if err != nil {
			return 0, err
		}
		for i, c := range b {
			if c != 0xff {
				return at + int64(i) - from, nil
			}
		}
		at += int64(len(b))
		if len(b) < 4096 {
			return at - from, nil
		}
	}
}
