package flash

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// ubifs is the file system for volumes of UBI (fs/ubifs/ubifs-media.h): an index of nodes, and a journal of those that are not in it yet.
var ubifs = tree.Format{ID: "ubifs", Title: "UBIFS file system", Magic: []tree.Magic{{At: 0, Bytes: "\x31\x18\x10\x06"}}, Search: true, Open: openUBIFS}

const (
	ubifsRoot  = 1
	ubifsBlock = 4096 // of files

	ubifsNodeMost  = 64 << 10 // bytes of a node
	ubifsSuperSize = 4096

	ubifsInode, ubifsData, ubifsName, ubifsCut = 0, 1, 2, 4 // kinds of nodes; the first three are kinds of keys too
	ubifsPad, ubifsSuper, ubifsMaster          = 5, 6, 7
	ubifsRef, ubifsIndex, ubifsStart           = 8, 9, 10

	ubifsLog = 3 // the first block of the log

	ubifsEncrypted = 0x8 // flag of the superblock
)

// UBIFS is what the superblock and the master node say.
type UBIFS struct {
	BlockSize   int // of a logical block
	Blocks      int
	Compression string // of new files
	Encrypted   bool
	UUID        string
	Replayed    int // nodes of the journal
}

var ubifsCompressions = []string{"", "lzo", "deflate", "zstd"}

// ubifsFS is a file system that is being read.
type ubifsFS struct {
	o        *tree.Opening
	block    int64
	count    int64
	logs     int64
	left     int // nodes of the index that may still be read: each is there once
	work     int // pieces of files that may still be looked at to make files shorter
	info     UBIFS
	index    ubifsIndexed
	holes    *tree.Holes
	unpacked *unpacked
}

func openUBIFS(o *tree.Opening) error {
	x := &ubifsFS{o: o}
	head, err := o.Read(0, 24)
	if err != nil || binary.LittleEndian.Uint32(head[16:]) != ubifsSuperSize {
		return tree.ErrNot
	}
	super, err := x.node(0, ubifsSuper)
	if err != nil {
		return tree.ErrNot
	}
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint32(super[at:])) }
	x.block, x.count, x.logs = word(36), word(40), word(56)
	if x.block < 4096 || x.block > 16<<20 || x.block%8 != 0 || x.count < 4 || x.logs < 1 || x.logs > x.count {
		return tree.ErrNot
	}
	u := super[108:124]
	x.info = UBIFS{
		BlockSize: int(x.block), Blocks: int(x.count), Encrypted: word(28)&ubifsEncrypted != 0, Compression: ubifsCompression(binary.LittleEndian.Uint16(super[84:])),
		UUID: fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]),
	}
	master, at := x.master()
	if master == nil {
		return tree.Bad(x.block, "no master node is there")
	}
	size := min(x.count*x.block, o.Size())
	o.Ends(size)
	if super[27] != 0 {
		return tree.Bad(27, "keys of format %d are not known", super[27])
	}
	o.Info(&x.info)
	o.Describe("blocks of %d bytes, %s", x.block, x.info.Compression)
	if x.info.Encrypted {
		o.Note(28, "its files may be encrypted")
	}
	x.left, x.holes, x.unpacked = int(size/48)+1, tree.NewHoles(size), newUnpacked(size)
	x.work = 1 << 28
	x.index.init()
	word = func(at int) int64 { return int64(binary.LittleEndian.Uint32(master[at:])) }
	if err := x.walk(word(48), word(52), -1); err != nil {
		if o.Over(err) {
			return err
		}
		o.Note(at, "not all of its index can be read: %v", err)
	}
	if err := x.replay(word(44), binary.LittleEndian.Uint64(master[32:])); err != nil {
		if o.Over(err) {
			return err
		}
		o.Note(at+44, "not all of its journal can be read: %v", err)
	}
	x.index.join()
	return o.Walk(ubifsRoot, x.list, x.tell)
}

func ubifsCompression(n uint16) string {
	switch {
	case n == 0:
		return "none"
	case int(n) < len(ubifsCompressions):
		return ubifsCompressions[n]
	}
	return fmt.Sprintf("compression number %d", n)
}

// node reads the one at an offset, which must be of a kind; -1: of any.
func (x *ubifsFS) node(at int64, kind int) ([]byte, error) {
	head, err := x.o.Read(at, 24)
	if err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(head[16:]))
	switch {
	case binary.LittleEndian.Uint32(head) != 0x06101831 || size < 24 || size > x.o.Size()-at || size > ubifsNodeMost:
		return nil, tree.Bad(at, "no node is here")
	case kind >= 0 && int(head[20]) != kind:
		return nil, tree.Bad(at+20, "a node is of kind %d where one of kind %d should be", head[20], kind)
	}
	b, err := x.o.Read(at, int(size))
	if err == nil && rawCRC(0xffffffff, b[8:]) != binary.LittleEndian.Uint32(b[4:]) {
		err = tree.Bad(at, "a node does not fit its checksum")
	}
	return b, err
}

// at is the offset of a place in a logical block.
func (x *ubifsFS) at(block, offset int64) (int64, error) {
	if block >= x.count || offset >= x.block {
		return 0, tree.Bad(-1, "a node is said to lie in block %d at %d", block, offset)
	}
	return block*x.block + offset, nil
}

// master finds the newest master node, in one of the two blocks that hold them.
func (x *ubifsFS) master() (newest []byte, at int64) {
	for block := int64(1); block <= 2; block++ {
		_ = x.nodes(block, 0, func(offset int64, b []byte) error {
			if b[20] != ubifsMaster && b[20] != ubifsPad {
				return tree.Bad(offset, "a block of master nodes holds another")
			}
			if b[20] == ubifsMaster && len(b) >= 80 && (newest == nil || binary.LittleEndian.Uint64(b[8:]) >= binary.LittleEndian.Uint64(newest[8:])) {
				newest, at = b, offset
			}
			return nil
		})
	}
	return newest, at
}

// nodes calls f with the nodes of a block, from an offset on, until something else comes.
func (x *ubifsFS) nodes(block, from int64, f func(at int64, b []byte) error) error {
	at, err := x.at(block, from)
	if err != nil {
		return err
	}
	for end := (block + 1) * x.block; at+24 <= end; {
		b, err := x.node(at, -1)
		if err != nil {
			return err
		}
		if err := f(at, b); err != nil {
			return err
		}
		size := int64(len(b))
		if b[20] == ubifsPad && len(b) >= 28 {
			size += int64(binary.LittleEndian.Uint32(b[24:]))
		}
		at += (size + 7) &^ 7
	}
	return nil
}

func (x *ubifsFS) list(id uint64) ([]tree.Named, error) { return x.index.children[uint32(id)], nil }

func (x *ubifsFS) tell(path string, id uint64) (*tree.Node, error) {
	at, ok := x.index.inodes[uint32(id)]
	if !ok {
		return nil, tree.Bad(-1, "nothing is known of inode %d", id)
	}
	b, err := x.node(at, ubifsInode)
	if err != nil {
		return nil, err
	}
	if len(b) < 160 {
		return nil, tree.Bad(at, "an inode has %d bytes", len(b))
	}
	word := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	size := int64(binary.LittleEndian.Uint64(b[48:]))
	f := tree.File{
		Mode: tree.UnixMode(word(104)), UID: int(word(96)), GID: int(word(100)),
		Modified: time.Unix(int64(binary.LittleEndian.Uint64(b[72:])), int64(word(88))).UTC(),
	}
	if f.Mode&fs.ModeSymlink != 0 {
		f.Target = string(b[160:min(len(b), 160+int(min(word(112), 4096)))])
	}
	if f.Mode.IsRegular() && size < 0 {
		return nil, tree.Bad(at+48, "a file has %d bytes", size)
	}
	return x.o.Entry(path, f, func(w io.Writer) error { return x.content(uint32(id), size, w) })
}

// content writes that of a file.
func (x *ubifsFS) content(inode uint32, size int64, w io.Writer) error {
	from, _ := slices.BinarySearchFunc(x.index.data, ubifsPiece{inode: inode, order: math.MaxUint32}, ubifsPiece.compare)
	written := int64(0)
	for _, p := range x.index.data[from:] {
		if p.inode != inode || int64(p.block)*ubifsBlock >= size {
			break
		}
		if err := x.holes.Write(w, int64(p.block)*ubifsBlock-written); err != nil {
			return err
		}
		written = int64(p.block) * ubifsBlock
		b, err := x.data(p)
		b = b[:min(int64(len(b)), size-written)]
		if _, failed := w.Write(b); failed != nil {
			return failed
		}
		if err != nil {
			return err
		}
		written += int64(len(b))
	}
	return x.holes.Write(w, size-written)
}

// data reads a piece of a file.
func (x *ubifsFS) data(p ubifsPiece) ([]byte, error) {
	b, err := x.node(p.at, ubifsData)
	if err != nil {
		return nil, err
	}
	if len(b) < 48 {
		return nil, tree.Bad(p.at, "a node of data has %d bytes", len(b))
	}
	length, compression := int(binary.LittleEndian.Uint32(b[40:])), binary.LittleEndian.Uint16(b[44:])
	if length > ubifsBlock {
		return nil, tree.Bad(p.at+40, "a node is said to hold %d bytes", length)
	}
	if compression == 0 {
		return b[48:min(len(b), 48+length)], nil
	}
	if int(compression) >= len(ubifsCompressions) {
		return nil, tree.Bad(p.at+44, "it is compressed in the way of number %d, which is not known", compression)
	}
	if err := x.unpacked.take(length); err != nil {
		return nil, err
	}
	content, err := unpackBlock(ubifsCompressions[compression], b[48:], length)
	if err == nil && len(content) != length {
		err = fmt.Errorf("%d bytes come of it where there should be %d", len(content), length)
	}
	if err != nil {
		err = tree.Bad(p.at, "a node cannot be unpacked: %v", err)
	}
	return content, err
}
