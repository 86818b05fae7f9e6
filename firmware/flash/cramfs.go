package flash

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// cramfs is the compressed ROM file system (include/uapi/linux/cramfs_fs.h), of both byte orders. It may lie behind 512 bytes for a boot
// loader.
var cramfs = tree.Format{
	ID: "cramfs", Title: "cramfs file system", Search: true, Open: openCramfs,
	Magic: []tree.Magic{{At: 16, Bytes: cramfsSignature}, {At: 16 + cramfsPad, Bytes: cramfsSignature}},
}

const (
	cramfsSignature = "Compressed ROMFS"
	cramfsPad       = 512
	cramfsSuper     = 64 // bytes of the superblock before the root inode
	cramfsInode     = 12

	cramfsVersion2 = 0x1   // flags: the superblock has a checksum
	cramfsShifted  = 0x400 // the root folder may lie anywhere
	cramfsExtended = 0x800 // pointers say where their blocks lie
	cramfsKnown    = 0xfff
)

// Cramfs is what the superblock says.
type Cramfs struct {
	BigEndian bool
	Name      string
	Files     int
	Intact    bool // it fits its checksum
}

// cramfsFS is a file system that is being read.
type cramfsFS struct {
	o        *tree.Opening
	order    binary.ByteOrder
	base     int64
	end      int64
	block    int64
	flags    uint32
	holes    *tree.Holes
	unpacked *unpacked
	left     int // entries of folders that may still be read
}

// cramfsFile is an inode.
type cramfsFile struct {
	file   tree.File
	size   int64
	names  int64 // bytes of the name that follows
	offset int64
}

func openCramfs(o *tree.Opening) error {
	x := &cramfsFS{o: o, order: binary.LittleEndian, block: 4096}
	var b []byte
	for _, base := range []int64{0, cramfsPad} {
		head, err := o.Read(base, cramfsSuper+cramfsInode)
		if err == nil && string(head[16:32]) == cramfsSignature {
			b, x.base = head, base
			break
		}
	}
	switch {
	case b == nil:
		return tree.ErrNot
	case binary.BigEndian.Uint32(b) == 0x28cd3d45:
		x.order = binary.BigEndian
	case binary.LittleEndian.Uint32(b) != 0x28cd3d45:
		return tree.ErrNot
	}
	x.flags = x.order.Uint32(b[8:])
	root := x.inode(b[cramfsSuper:])
	if x.flags&^cramfsKnown != 0 || !root.file.Mode.IsDir() || x.base == 0 && x.flags&cramfsShifted == 0 && root.offset == cramfsPad+cramfsSuper+cramfsInode {
		return tree.ErrNot // the last: what is before it belongs to it
	}
	size := int64(x.order.Uint32(b[4:]))
	info := &Cramfs{BigEndian: x.order == binary.BigEndian, Name: text(b[48:64]), Files: int(x.order.Uint32(b[44:]))}
	x.end = min(size, o.Size())
	if x.flags&cramfsVersion2 == 0 { // one of the first version does not tell its size
		x.end = o.Size()
	} else if err := x.check(info, size, x.order.Uint32(b[32:])); err != nil {
		return err
	}
	x.holes, x.unpacked, x.left = tree.NewHoles(x.end), newUnpacked(x.end), int(x.end/cramfsInode)
	o.Ends(x.end)
	o.Info(info)
	order := "little-endian"
	if info.BigEndian {
		order = "big-endian"
	}
	o.Describe("%s, %q", order, info.Name)
	files := map[uint64]cramfsFile{0: root}
	return o.Walk(0, func(id uint64) ([]tree.Named, error) { return x.list(files, id) },
		func(path string, id uint64) (*tree.Node, error) { return x.tell(path, files[id]) })
}

// check holds the whole against the checksum.
func (x *cramfsFS) check(info *Cramfs, size int64, sum uint32) error {
	if size > x.o.Size() {
		x.o.Note(x.base+4, "it is said to be %d bytes long, and %d are there", size, x.o.Size())
		return nil
	}
	h := crc32.NewIEEE()
	for _, part := range []struct{ from, to int64 }{{x.base, x.base + 32}, {-1, 0}, {x.base + 36, x.end}} {
		if part.from < 0 { // the sum itself counts as zero
			_, _ = h.Write(make([]byte, 4))
		} else if _, err := io.Copy(h, io.NewSectionReader(x.o.Data, part.from, part.to-part.from)); err != nil {
			return err
		}
	}
	if info.Intact = h.Sum32() == sum; !info.Intact {
		x.o.Note(x.base+32, "it does not fit its checksum")
	}
	return nil
}

// inode takes one apart: bit fields, which lie from the lowest bit on in one byte order and from the highest in the other.
func (x *cramfsFS) inode(b []byte) cramfsFile {
	a, s, n := x.order.Uint32(b), x.order.Uint32(b[4:]), x.order.Uint32(b[8:])
	if x.order == binary.BigEndian {
		return cramfsFile{tree.File{Mode: tree.UnixMode(a >> 16), UID: int(a & 0xffff), GID: int(s & 0xff)}, int64(s >> 8), int64(n>>26) * 4, int64(n&(1<<26-1)) * 4}
	}
	return cramfsFile{tree.File{Mode: tree.UnixMode(a & 0xffff), UID: int(a >> 16), GID: int(s >> 24)}, int64(s & 0xffffff), int64(n&63) * 4, int64(n>>6) * 4}
}

// list gives the names in a folder, and keeps what they name: each inode by its place.
func (x *cramfsFS) list(files map[uint64]cramfsFile, id uint64) ([]tree.Named, error) {
	f := files[id]
	var names []tree.Named
	for at := f.offset; at < f.offset+f.size; {
		if x.left--; x.left < 0 {
			return names, tree.Bad(at, "the folders have more entries than there can be")
		}
		b, err := x.o.Read(at, cramfsInode)
		if err != nil {
			return names, err
		}
		e := x.inode(b)
		name, err := x.o.Read(at+cramfsInode, int(e.names))
		if err != nil {
			return names, err
		}
		if e.names == 0 {
			return names, tree.Bad(at, "a file has no name")
		}
		files[uint64(at)] = e
		names = append(names, tree.Named{Name: text(name), ID: uint64(at)})
		at += cramfsInode + e.names
	}
	return names, nil
}

func (x *cramfsFS) tell(path string, f cramfsFile) (*tree.Node, error) {
	if f.file.Mode&fs.ModeSymlink != 0 && f.size <= 4096 {
		var err error
		if f.file.Target, err = written(func(w io.Writer) error { return x.content(f, w) }); err != nil {
			x.o.Note(f.offset, "%q: where the link leads cannot be read: %v", path, err)
		}
	}
	return x.o.Entry(path, f.file, func(w io.Writer) error { return x.content(f, w) })
}

// content writes that of a file: pointers to where each of its blocks ends, and the blocks.
func (x *cramfsFS) content(f cramfsFile, w io.Writer) error {
	if f.size == 0 {
		return nil
	}
	count := (f.size + x.block - 1) / x.block
	table, err := x.o.Read(f.offset, int(4*count))
	if err != nil {
		return err
	}
	from := f.offset + 4*count
	for i := range count {
		length := min(x.block, f.size-i*x.block)
		pointer := x.order.Uint32(table[4*i:])
		to, stored := int64(pointer), false
		if x.flags&cramfsExtended != 0 {
			stored = pointer>>31 != 0
			if to = int64(pointer & (1<<30 - 1)); pointer>>30&1 != 0 { // where it begins, in words, and its size before it
				return tree.Bad(f.offset+4*i, "a block lies elsewhere, which is not known")
			}
		}
		if to < from || to-from > 2*x.block {
			return tree.Bad(f.offset+4*i, "block %d of the file is said to lie from %#x to %#x", i, from, to)
		}
		if to == from { // left out
			if err := x.holes.Write(w, length); err != nil {
				return err
			}
			continue
		}
		b, err := x.o.Read(from, int(to-from))
		if err != nil {
			return err
		}
		if !stored {
			if err := x.unpacked.take(int(length)); err != nil {
				return err
			}
			b, err = unpackBlock("zlib", b, int(length))
			if err == nil && int64(len(b)) != length {
				err = fmt.Errorf("%d bytes come of it where there should be %d", len(b), length)
			}
		}
		if _, failed := w.Write(b); failed != nil {
			return failed
		}
		if err != nil {
			return tree.Bad(from, "a block cannot be unpacked: %v", err)
		}
		from = to
	}
	return nil
}
