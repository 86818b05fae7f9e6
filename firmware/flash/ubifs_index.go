package flash

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// ubifsMost is how many nodes of an index are kept.
const ubifsMost = 4 << 20

// ubifsPiece is where a block of a file is.
type ubifsPiece struct {
	inode, block uint32
	order        uint32 // when it was told of: the last counts
	at           int64
}

func (p ubifsPiece) compare(q ubifsPiece) int {
	return cmp.Or(cmp.Compare(p.inode, q.inode), cmp.Compare(p.block, q.block), cmp.Compare(q.order, p.order))
}

// ubifsEntry is a name in a folder.
type ubifsEntry struct {
	parent uint32
	name   string
}

// ubifsIndexed is what the index and the journal tell, the later the better.
type ubifsIndexed struct {
	inodes   map[uint32]int64 // where their nodes are
	data     []ubifsPiece
	names    map[ubifsEntry]uint32
	entries  []ubifsEntry // in the order in which they came
	children map[uint32][]tree.Named
	order    uint32
}

func (x *ubifsIndexed) init() { x.inodes, x.names = map[uint32]int64{}, map[ubifsEntry]uint32{} }

func (x *ubifsIndexed) name(parent uint32, name string, inode uint32) {
	e := ubifsEntry{parent, name}
	if _, known := x.names[e]; !known {
		x.entries = append(x.entries, e)
	}
	x.names[e] = inode
}

// join makes folders of the names, and brings the pieces of files in order.
func (x *ubifsIndexed) join() {
	x.children = map[uint32][]tree.Named{}
	for _, e := range x.entries {
		if inode := x.names[e]; inode != 0 {
			x.children[e.parent] = append(x.children[e.parent], tree.Named{Name: e.name, ID: uint64(inode)})
		}
	}
	slices.SortFunc(x.data, ubifsPiece.compare)
	x.data = slices.CompactFunc(x.data, func(p, q ubifsPiece) bool { return p.inode == q.inode && p.block == q.block })
}

// ubifsKey takes a key apart.
func ubifsKey(b []byte) (inode uint32, kind int, block uint32) {
	second := binary.LittleEndian.Uint32(b[4:])
	return binary.LittleEndian.Uint32(b), int(second >> 29), second & (1<<29 - 1)
}

// walk reads the index from a node on; level is what it must have, -1 for the root.
func (x *ubifsFS) walk(block, offset int64, level int) error {
	if x.left--; x.left < 0 {
		return tree.Bad(-1, "the index has more nodes than there can be")
	}
	at, err := x.at(block, offset)
	if err != nil {
		return err
	}
	b, err := x.node(at, ubifsIndex)
	if err != nil {
		return err
	}
	if len(b) < 28 {
		return tree.Bad(at, "a node of the index has %d bytes", len(b))
	}
	count, is := int(binary.LittleEndian.Uint16(b[24:])), int(binary.LittleEndian.Uint16(b[26:]))
	if count == 0 {
		return nil // of an empty file system
	}
	size := (len(b) - 28) / count // with a hash when it is signed
	if level >= 0 && is != level || is > 64 || size < 20 {
		return tree.Bad(at+24, "a node of the index has level %d and %d branches in %d bytes", is, count, len(b))
	}
	for i := range count {
		branch := b[28+i*size:]
		block, offset := int64(binary.LittleEndian.Uint32(branch)), int64(binary.LittleEndian.Uint32(branch[4:]))
		if is > 0 {
			err = x.walk(block, offset, is-1)
		} else {
			err = x.leaf(block, offset, branch[12:20])
		}
		if x.o.Over(err) {
			return err
		}
		if err != nil { // what lies beside it may be fine
			x.o.Note(at, "a branch of the index cannot be read: %v", err)
		}
	}
	return nil
}

// leaf takes a node up that the index tells of.
func (x *ubifsFS) leaf(block, offset int64, key []byte) error {
	at, err := x.at(block, offset)
	if err != nil {
		return err
	}
	if x.left--; x.left < 0 || len(x.index.data)+len(x.index.names)+len(x.index.inodes) > ubifsMost {
		return tree.Bad(at, "the index has more nodes than there can be")
	}
	inode, kind, n := ubifsKey(key)
	switch kind {
	case ubifsInode:
		x.index.inodes[inode] = at
	case ubifsData:
		x.index.data = append(x.index.data, ubifsPiece{inode, n, x.index.order, at})
	case ubifsName:
		b, err := x.node(at, ubifsName)
		if err != nil {
			return err
		}
		return x.entry(at, b)
	}
	return nil
}

// entry takes a name up.
func (x *ubifsFS) entry(at int64, b []byte) error {
	if len(b) < 56 || len(b) < 56+int(binary.LittleEndian.Uint16(b[50:])) {
		return tree.Bad(at, "a node of a name has %d bytes", len(b))
	}
	name := b[56:][:binary.LittleEndian.Uint16(b[50:])]
	if len(name) == 0 || bytes.IndexByte(name, '/') >= 0 {
		return tree.Bad(at+56, "a file is called %.40q", name)
	}
	parent, _, _ := ubifsKey(b[24:])
	x.index.name(parent, string(name), uint32(binary.LittleEndian.Uint64(b[40:])))
	return nil
}

// replay takes up what was written after the index: the log tells of the blocks that hold it.
func (x *ubifsFS) replay(head int64, commit uint64) error {
	if head < ubifsLog || head >= ubifsLog+x.logs {
		return tree.Bad(-1, "the log is said to begin in block %d", head)
	}
	type place struct{ block, offset int64 }
	var buds []place
	started := uint64(0)
	for i := range x.logs {
		before := len(buds)
		_ = x.nodes(ubifsLog+(head-ubifsLog+i)%x.logs, 0, func(_ int64, b []byte) error { // it ends with what is no node
			sequence := binary.LittleEndian.Uint64(b[8:])
			switch {
			case b[20] == ubifsStart && i == 0 && len(b) >= 32 && binary.LittleEndian.Uint64(b[24:]) == commit:
				started = sequence
			case b[20] == ubifsRef && len(b) >= 32 && started > 0 && sequence > started:
				buds = append(buds, place{int64(binary.LittleEndian.Uint32(b[24:])), int64(binary.LittleEndian.Uint32(b[28:]))})
			}
			return nil
		})
		if started == 0 || i > 0 && len(buds) == before {
			break
		}
	}
	if int64(len(buds)) > x.count {
		return tree.Bad(-1, "the journal has more blocks than there are")
	}
	type change struct {
		at       int64
		sequence uint64
	}
	var changes []change
	for _, bud := range buds {
		_ = x.nodes(bud.block, bud.offset, func(at int64, b []byte) error {
			if b[20] <= ubifsCut && len(changes) < ubifsMost {
				changes = append(changes, change{at, binary.LittleEndian.Uint64(b[8:])})
			}
			return nil
		})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, c := range changes {
		b, err := x.node(c.at, -1)
		if err == nil {
			err = x.change(c.at, b)
		}
		if err != nil {
			return err
		}
	}
	if x.info.Replayed = len(changes); len(changes) > 0 {
		x.o.Note(-1, "it was not unmounted: %d nodes of its journal were replayed", len(changes))
	}
	return nil
}

// change takes a node of the journal up.
func (x *ubifsFS) change(at int64, b []byte) error {
	x.index.order++
	if len(b) < 48 {
		return tree.Bad(at, "a node has %d bytes", len(b))
	}
	inode, _, block := ubifsKey(b[24:])
	switch b[20] {
	case ubifsInode:
		if len(b) >= 96 && binary.LittleEndian.Uint32(b[92:]) == 0 {
			delete(x.index.inodes, inode)
			return nil
		}
		x.index.inodes[inode] = at
	case ubifsData:
		x.index.data = append(x.index.data, ubifsPiece{inode, block, x.index.order, at})
	case ubifsName:
		return x.entry(at, b)
	case ubifsCut:
		if len(b) < 56 {
			return tree.Bad(at, "a node has %d bytes", len(b))
		}
		if x.work -= len(x.index.data); x.work < 0 {
			return tree.Bad(at, "the journal makes files shorter all too often")
		}
		from := (binary.LittleEndian.Uint64(b[48:]) + ubifsBlock - 1) / ubifsBlock
		x.index.data = slices.DeleteFunc(x.index.data, func(p ubifsPiece) bool { return p.inode == inode && uint64(p.block) >= from })
	}
	return nil
}
