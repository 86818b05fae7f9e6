package disk

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// ext is the second to fourth extended file system of Linux (Documentation/filesystems/ext4). Its journal is not replayed.
var ext = tree.Format{
	ID: "ext", Title: "ext2, ext3 or ext4 file system", Magic: []tree.Magic{{At: extSuper + 56, Bytes: "\x53\xef"}}, Search: true, Open: openExt,
}

const (
	extSuper = 1024 // where the superblock is, and its size
	extRoot  = 2    // the inode of the root folder

	extHasJournal = 0x4 // compatible features
	extSparse2    = 0x200

	extFileType = 0x2 // incompatible features
	extRecover  = 0x4
	extJournal  = 0x8
	extMetaBG   = 0x10
	extExtents  = 0x40
	ext64Bit    = 0x80
	extEncrypt  = 0x10000

	extSparse   = 0x1 // features that are compatible for readers
	extChecksum = 0x400
)

// Ext is what the superblock of an ext2, ext3 or ext4 file system says.
type Ext struct {
	Version       int // 2, 3 or 4
	Label         string
	UUID          string
	BlockSize     int
	Made          time.Time // zero: not told
	LastMounted   string    // where
	NeedsRecovery bool      // its journal holds what is not in place yet
}

// extFS is a file system that is being read.
type extFS struct {
	o         *tree.Opening
	block     int64 // bytes of one
	blocks    int64
	first     int64 // the first data block
	perGroup  int64 // blocks
	inodes    int64
	inodesPer int64 // in a group
	inodeSize int64
	descSize  int64
	metaFirst int64 // the first group of blocks of descriptors that are spread
	compat    uint32
	incompat  uint32
	readOnly  uint32
	backups   [2]uint32 // groups that hold a superblock, with sparse_super2

	holes  *tree.Holes
	stored int64 // bytes that may still be told of as they lie: each is in one file
	left   int64 // how many blocks of maps and folders may still be read: each is there once
}

func openExt(o *tree.Opening) error {
	b, err := o.Read(extSuper, 1024)
	if err != nil {
		return tree.ErrNot
	}
	x, ok := extGeometry(b)
	if !ok {
		return tree.ErrNot
	}
	x.o = o
	root, err := x.inode(extRoot)
	if err != nil || !root.file().Mode.IsDir() || root.links < 2 {
		return tree.ErrNot
	}
	size := x.blocks * x.block
	if size > o.Size() {
		o.Note(extSuper+4, "it is said to be %d bytes long, and %d are there", size, o.Size())
	}
	x.holes, x.left = tree.NewHoles(min(size, o.Size())), 4*min(x.blocks, o.Size()/x.block)+1024
	x.stored = min(size, o.Size())
	o.Ends(size)
	info := x.info(b)
	o.Info(&info)
	o.Describe("ext%d, blocks of %d bytes, %q", info.Version, info.BlockSize, info.Label)
	if info.NeedsRecovery {
		o.Note(extSuper+96, "it was not unmounted: its journal needs recovery and was not replayed, so that the latest changes may be missing")
	}
	if x.incompat&extEncrypt != 0 {
		o.Note(extSuper+96, "it may hold encrypted folders")
	}
	if x.readOnly&extChecksum != 0 && ^crc32.Update(0, crc32.MakeTable(crc32.Castagnoli), b[:1020]) != binary.LittleEndian.Uint32(b[1020:]) {
		o.Note(extSuper+1020, "its superblock does not fit its checksum")
	}
	return o.Walk(extRoot, x.list, x.tell)
}

// extGeometry reads the superblock, and says whether it can be one.
func extGeometry(b []byte) (*extFS, bool) {
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint32(b[at:])) }
	half := func(at int) int64 { return int64(binary.LittleEndian.Uint16(b[at:])) }
	if word(24) > 6 {
		return nil, false
	}
	x := &extFS{
		block: 1024 << word(24), inodes: word(0), blocks: word(4), first: word(20), perGroup: word(32), inodesPer: word(40),
		inodeSize: 128, descSize: 32, metaFirst: word(260),
	}
	if word(76) > 0 {
		x.inodeSize = half(88)
		x.compat, x.incompat, x.readOnly = uint32(word(92)), uint32(word(96)), uint32(word(100))
	}
	if x.incompat&ext64Bit != 0 {
		x.blocks |= word(0x150) << 32
		x.descSize = half(254)
	}
	x.backups = [2]uint32{uint32(word(0x24c)), uint32(word(0x250))}
	switch {
	case half(56) != 0xef53, word(76) > 1, half(58) > 7, half(90) != 0, x.incompat&extJournal != 0,
		word(28) > 20, x.perGroup == 0, x.perGroup > (8*x.block)<<max(0, word(28)-word(24)), x.inodesPer == 0, x.inodesPer > 8*x.block,
		x.inodeSize < 128, x.inodeSize > x.block, x.inodeSize&(x.inodeSize-1) != 0,
		x.descSize < 32, x.descSize > x.block, x.descSize&(x.descSize-1) != 0,
		x.blocks <= x.first, x.blocks > 1<<47/x.block, x.first > 1, x.first == 1 && x.block != 1024:
		return nil, false
	}
	groups := (x.blocks - x.first + x.perGroup - 1) / x.perGroup
	return x, x.inodes == groups*x.inodesPer
}

func (x *extFS) info(b []byte) Ext {
	u := b[104:120]
	info := Ext{
		Version: 2, Label: text(b[120:136]), BlockSize: int(x.block), LastMounted: text(b[136:200]), NeedsRecovery: x.incompat&extRecover != 0,
		UUID: fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]),
	}
	if x.compat&extHasJournal != 0 {
		info.Version = 3
	}
	if x.incompat&^(extFileType|extRecover|extMetaBG) != 0 || x.readOnly&^7 != 0 {
		info.Version = 4
	}
	if made := binary.LittleEndian.Uint32(b[264:]); made != 0 {
		info.Made = time.Unix(int64(made), 0).UTC()
	}
	return info
}

// superAt reports whether a group begins with a copy of the superblock.
func (x *extFS) superAt(group int64) bool {
	switch {
	case group == 0:
		return true
	case x.compat&extSparse2 != 0:
		return group == int64(x.backups[0]) || group == int64(x.backups[1])
	case x.readOnly&extSparse == 0 || group == 1:
		return true
	}
	for _, base := range []int64{3, 5, 7} {
		n := base
		for n < group {
			n *= base
		}
		if n == group {
			return true
		}
	}
	return false
}

// descriptor is where that of a group is.
func (x *extFS) descriptor(group int64) int64 {
	perBlock := x.block / x.descSize
	if meta := group / perBlock; x.incompat&extMetaBG != 0 && meta >= x.metaFirst {
		at := meta * perBlock * x.perGroup
		at += x.first
		if x.superAt(meta * perBlock) {
			at++
		}
		return at*x.block + group%perBlock*x.descSize
	}
	return (extSuper/x.block+1)*x.block + group*x.descSize
}

// inode reads one by its number.
func (x *extFS) inode(number uint64) (*extInode, error) {
	if number == 0 || number > uint64(x.inodes) {
		return nil, tree.Bad(-1, "there is no inode %d", number)
	}
	group, index := int64(number-1)/x.inodesPer, int64(number-1)%x.inodesPer
	d, err := x.o.Read(x.descriptor(group), int(x.descSize))
	if err != nil {
		return nil, err
	}
	table := int64(binary.LittleEndian.Uint32(d[8:]))
	if x.descSize >= 64 {
		table |= int64(binary.LittleEndian.Uint32(d[0x28:])) << 32
	}
	if table >= x.blocks {
		return nil, tree.Bad(x.descriptor(group)+8, "the inodes of group %d are said to lie in block %d", group, table)
	}
	at := table*x.block + index*x.inodeSize
	b, err := x.o.Read(at, int(x.inodeSize))
	if err != nil {
		return nil, err
	}
	return readExtInode(b, at), nil
}

// text is what stands before the first zero.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return string(b)
}
