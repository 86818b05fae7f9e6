package flash

import (
	"cmp"
	"encoding/binary"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// jffs2 is the Journalling Flash File System, version 2 (include/uapi/linux/jffs2.h): nodes in the order in which they were written, of
// which the newest count.
var jffs2 = tree.Format{
	ID: "jffs2", Title: "JFFS2 file system", Search: true, Open: openJFFS2,
	Magic: []tree.Magic{
		{At: 0, Bytes: "\x85\x19\x01\xe0"},
		{At: 0, Bytes: "\x85\x19\x02\xe0"},
		{At: 0, Bytes: "\x85\x19\x03\x20"},
		{At: 0, Bytes: "\x19\x85\xe0\x01"},
		{At: 0, Bytes: "\x19\x85\xe0\x02"},
		{At: 0, Bytes: "\x19\x85\x20\x03"},
	},
}

// JFFS2 is what a JFFS2 file system holds.
type JFFS2 struct {
	BigEndian bool
	Nodes     int // that hold names and data
	Obsolete  int // that were marked so
	Damaged   int // that do not fit their checksums
}

// jffs2Root is the inode of the root folder.
const jffs2Root = 1

// jffs2Inode is a node of an inode: what is known of it, and perhaps some of its data.
type jffs2Inode struct {
	at             int64
	number         uint32
	version        uint32
	offset         uint32 // of the data in the file
	packed, length uint32 // bytes of the data, and what they make
	crc            uint32
	compression    byte
}

// jffs2Name is a node of a name in a folder.
type jffs2Name struct {
	at              int64
	parent, version uint32
	number          uint32 // 0: it was removed
	crc             uint32
	name            string
}

// jffs2FS is a file system that is being read.
type jffs2FS struct {
	o        *tree.Opening
	order    binary.ByteOrder
	info     JFFS2
	markers  int
	inodes   []jffs2Inode
	names    []jffs2Name
	begins   []int64              // where nodes begin behind empty flash, on a boundary of a block
	end      int64                // of the last node
	versions map[[3]uint32]uint32 // the checksums of nodes, by their kind, number and version
	other    bool                 // two differ: another file system has begun
	children map[uint32][]tree.Named
	holes    *tree.Holes
	unpacked *unpacked
	recent   [4]jffs2Unpacked
}

func openJFFS2(o *tree.Opening) error {
	head, err := o.Read(0, int(min(jffs2InodeHead, o.Size())))
	if err != nil || len(head) < 12 {
		return tree.ErrNot
	}
	x := &jffs2FS{o: o, order: binary.LittleEndian}
	if head[0] == 0x19 {
		x.order, x.info.BigEndian = binary.BigEndian, true
	}
	if !x.sound(head) {
		return tree.ErrNot
	}
	x.versions = map[[3]uint32]uint32{}
	if err := x.scan(); err != nil {
		return err
	}
	if len(x.inodes)+len(x.names) == 0 && (x.markers == 0 || x.markers == 1 && x.end < o.Size()) {
		return tree.ErrNot
	}
	x.split()
	o.Ends(x.end)
	x.holes, x.unpacked = tree.NewHoles(x.end), newUnpacked(x.end)
	x.info.Nodes = len(x.inodes) + len(x.names)
	o.Info(&x.info)
	order := "little-endian"
	if x.info.BigEndian {
		order = "big-endian"
	}
	o.Describe("%s, %d nodes", order, x.info.Nodes)
	if x.info.Damaged > 0 {
		o.Note(-1, "%d of its nodes do not fit their checksums and are left out", x.info.Damaged)
	}
	x.join()
	return o.Walk(jffs2Root, x.list, x.tell)
}

// split ends the file system where another one begins: two that lie side by side have different nodes of the same version.
func (x *jffs2FS) split() {
	slices.SortFunc(x.inodes, func(a, b jffs2Inode) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.version, b.version), cmp.Compare(a.at, b.at))
	})
	slices.SortFunc(x.names, func(a, b jffs2Name) int {
		return cmp.Or(cmp.Compare(a.parent, b.parent), cmp.Compare(a.version, b.version), cmp.Compare(a.at, b.at))
	})
	from, to := int64(-1), x.end // the nearest pair
	for i := range x.inodes[:max(0, len(x.inodes)-1)] {
		a, b := &x.inodes[i], &x.inodes[i+1]
		if a.number == b.number && a.version == b.version && a.crc != b.crc && b.at < to {
			from, to = a.at, b.at
		}
	}
	for i := range x.names[:max(0, len(x.names)-1)] {
		a, b := &x.names[i], &x.names[i+1]
		if a.parent == b.parent && a.version == b.version && a.crc != b.crc && b.at < to {
			from, to = a.at, b.at
		}
	}
	if from < 0 {
		return
	}
	cut := to &^ (jffs2Block - 1)
	for _, at := range x.begins {
		if at > from && at <= to {
			cut = at
		}
	}
	if cut <= from {
		x.o.Note(to, "two nodes of one version differ")
		return
	}
	x.end = cut
	x.inodes = slices.DeleteFunc(x.inodes, func(n jffs2Inode) bool { return n.at >= cut })
	x.names = slices.DeleteFunc(x.names, func(n jffs2Name) bool { return n.at >= cut })
}

// join makes folders of the names: the newest node of each name counts.
func (x *jffs2FS) join() {
	slices.SortStableFunc(x.names, func(a, b jffs2Name) int {
		return cmp.Or(cmp.Compare(a.parent, b.parent), cmp.Compare(a.name, b.name), cmp.Compare(b.version, a.version))
	})
	x.children = map[uint32][]tree.Named{}
	for i, n := range x.names {
		newest := i == 0 || x.names[i-1].parent != n.parent || x.names[i-1].name != n.name
		if newest && n.number != 0 {
			x.children[n.parent] = append(x.children[n.parent], tree.Named{Name: n.name, ID: uint64(n.number)})
		}
	}
}

func (x *jffs2FS) list(id uint64) ([]tree.Named, error) { return x.children[uint32(id)], nil }

// of gives the nodes of an inode, old ones first.
func (x *jffs2FS) of(id uint64) []jffs2Inode {
	by := func(n jffs2Inode, id uint32) int { return cmp.Compare(n.number, id) }
	from, _ := slices.BinarySearchFunc(x.inodes, uint32(id), by)
	to := from
	for to < len(x.inodes) && x.inodes[to].number == uint32(id) {
		to++
	}
	return x.inodes[from:to]
}

func (x *jffs2FS) tell(path string, id uint64) (*tree.Node, error) {
	nodes := x.of(id)
	if len(nodes) == 0 {
		return nil, tree.Bad(-1, "nothing is known of inode %d", id)
	}
	b, err := x.o.Read(nodes[len(nodes)-1].at, jffs2InodeHead)
	if err != nil {
		return nil, err
	}
	size := int64(x.order.Uint32(b[28:]))
	f := tree.File{
		Mode: tree.UnixMode(x.order.Uint32(b[20:])), UID: int(x.order.Uint16(b[24:])), GID: int(x.order.Uint16(b[26:])),
		Modified: time.Unix(int64(x.order.Uint32(b[36:])), 0).UTC(),
	}
	if f.Mode&fs.ModeSymlink != 0 && size <= 4096 {
		target, err := written(func(w io.Writer) error { return x.content(nodes, size, w) })
		if err != nil {
			x.o.Note(nodes[0].at, "%q: where the link leads cannot be read: %v", path, err)
		}
		f.Target = strings.TrimRight(target, "\x00") // mkfs.jffs2 cuts those that are long, and does not say so
	}
	return x.o.Entry(path, f, func(w io.Writer) error { return x.content(nodes, size, w) })
}
