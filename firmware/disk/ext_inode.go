package disk

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

const (
	extFlagEncrypt = 0x800 // of inodes
	extFlagExtents = 0x80000
	extFlagInline  = 0x10000000
	extFlagCompr   = 0x4

	extInBlock = 60 // bytes of an inode that hold the map, a short link, or content
)

// extInode is one inode.
type extInode struct {
	at    int64 // of it in the data
	raw   []byte
	mode  uint32
	links int
	size  int64
	flags uint32
	area  []byte // the map, a short link, or content
}

func readExtInode(b []byte, at int64) *extInode {
	n := &extInode{at: at, raw: b, area: b[40 : 40+extInBlock]}
	n.mode, n.links = uint32(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[26:]))
	n.size = int64(binary.LittleEndian.Uint32(b[4:]))
	n.flags = binary.LittleEndian.Uint32(b[32:])
	if mode := n.mode & 0o170000; mode == 0o100000 || mode == 0o040000 {
		n.size |= int64(binary.LittleEndian.Uint32(b[108:])) << 32
	}
	return n
}

func (n *extInode) file() tree.File {
	half := func(at int) int { return int(binary.LittleEndian.Uint16(n.raw[at:])) }
	seconds := int64(int32(binary.LittleEndian.Uint32(n.raw[16:])))
	nanos := int64(0)
	if len(n.raw) >= 140 && half(128) >= 12 {
		extra := binary.LittleEndian.Uint32(n.raw[136:])
		seconds += int64(extra&3) << 32
		nanos = int64(extra >> 2)
	}
	return tree.File{
		Mode: tree.UnixMode(n.mode), UID: half(2) | half(120)<<16, GID: half(24) | half(122)<<16,
		Modified: time.Unix(seconds, nanos).UTC(),
	}
}

// tell tells of a file by its inode.
func (x *extFS) tell(path string, number uint64) (*tree.Node, error) {
	n, err := x.inode(number)
	if err != nil {
		return nil, err
	}
	f := n.file()
	switch {
	case f.Mode&fs.ModeSymlink != 0:
		f.Target, err = x.target(n)
		if err != nil {
			x.o.Note(n.at, "%q: where the link leads cannot be read: %v", path, err)
		}
		return x.o.Entry(path, f, nil)
	case !f.Mode.IsRegular():
		return x.o.Entry(path, f, nil)
	case n.mode&0o170000 != 0o100000 || n.size < 0:
		return nil, tree.Bad(n.at, "inode %d has mode %#o and size %d", number, n.mode, n.size)
	}
	if n.flags&(extFlagEncrypt|extFlagCompr) != 0 {
		x.o.Note(n.at, "%q is encrypted or compressed", path)
	}
	if n.flags&extFlagInline != 0 {
		content, err := x.inline(n)
		if err != nil {
			return nil, err
		}
		return x.o.Entry(path, f, func(w io.Writer) error { _, err := w.Write(content); return err })
	}
	if at, whole := x.contiguous(n); whole && n.size <= x.stored {
		x.stored -= n.size
		return x.o.Stored(path, f, at, n.size)
	}
	return x.o.Entry(path, f, func(w io.Writer) error { return x.content(n, w) })
}

// target is where a symbolic link leads.
func (x *extFS) target(n *extInode) (string, error) {
	if n.size > 4096 {
		return "", tree.Bad(n.at+4, "it is %d bytes long", n.size)
	}
	if n.flags&extFlagInline != 0 {
		b, err := x.inline(n)
		return string(b), err
	}
	if n.size < extInBlock && n.flags&extFlagExtents == 0 {
		return string(n.area[:n.size]), nil
	}
	var b bytes.Buffer
	err := x.content(n, &b)
	return b.String(), err
}

// inline is a content that lies in the inode: in place of the map, and in the attribute system.data.
func (x *extFS) inline(n *extInode) ([]byte, error) {
	first, rest := n.area, []byte(nil)
	if len(n.raw) > 130 {
		extra := 128 + int(binary.LittleEndian.Uint16(n.raw[128:]))
		if extra+4 <= len(n.raw) && binary.LittleEndian.Uint32(n.raw[extra:]) == 0xea020000 {
			rest = extAttribute(n.raw[extra+4:], 7, "data")
		}
	}
	content := append(first[:len(first):len(first)], rest...)
	if n.size > int64(len(content)) {
		return nil, tree.Bad(n.at+4, "%d bytes are said to lie in an inode with room for %d", n.size, len(content))
	}
	return content[:n.size], nil
}

// extAttribute finds an extended attribute among those of an inode.
func extAttribute(b []byte, index byte, name string) []byte {
	for at := 0; at+16 <= len(b); {
		e := b[at:]
		length := int(e[0])
		if binary.LittleEndian.Uint32(e) == 0 || at+16+length > len(b) {
			return nil
		}
		if e[1] == index && string(e[16:16+length]) == name {
			from, size := int64(binary.LittleEndian.Uint16(e[2:])), int64(binary.LittleEndian.Uint32(e[8:]))
			if from+size > int64(len(b)) {
				return nil
			}
			return b[from : from+size]
		}
		at += (16 + length + 3) &^ 3
	}
	return nil
}

// list gives the names in a folder. Those of a hashed one are read one after another: its index looks like entries that are free.
func (x *extFS) list(number uint64) ([]tree.Named, error) {
	n, err := x.inode(number)
	if err != nil {
		return nil, err
	}
	if n.size < 0 {
		return nil, tree.Bad(n.at+4, "a folder is said to be %d bytes long", n.size)
	}
	var names []tree.Named
	if n.flags&extFlagInline != 0 {
		content, err := x.inline(n)
		if err != nil || len(content) < 4 {
			return nil, err
		}
		head := min(len(content), extInBlock)
		names, err = x.entries(names, content[4:head], n.at+44) // before: the inode of the parent
		if err == nil {
			names, err = x.entries(names, content[head:], n.at)
		}
		return names, err
	}
	end := (n.size + x.block - 1) / x.block
	err = x.runs(n, func(r extRun) error {
		for i := int64(0); i < r.count && r.logical+i < end && !r.hole; i++ {
			if x.left--; x.left < 0 {
				return tree.Bad(n.at, "the folders take more blocks than there are")
			}
			at := (r.physical + i) * x.block
			b, err := x.o.Read(at, int(x.block))
			if err != nil {
				return err
			}
			if names, err = x.entries(names, b, at); err != nil {
				return err
			}
			if len(names) > 1<<20 {
				return tree.Bad(at, "more than %d names in a folder", 1<<20)
			}
		}
		return nil
	})
	return names, err
}

// entries reads those of a block.
func (x *extFS) entries(names []tree.Named, b []byte, offset int64) ([]tree.Named, error) {
	for at := 0; at+8 <= len(b); {
		e := b[at:]
		inode, size, length := binary.LittleEndian.Uint32(e), int(binary.LittleEndian.Uint16(e[4:])), int(e[6])
		if x.incompat&extFileType == 0 {
			length |= int(e[7]) << 8
		}
		if (size == 0 || size == 0xffff) && len(b) == 1<<16 {
			size = 1 << 16
		}
		if size < 8 || size&3 != 0 || size > len(e) {
			return names, tree.Bad(offset+int64(at), "an entry of a folder is said to be %d bytes long", size)
		}
		if inode != 0 {
			if length == 0 || 8+length > size {
				return names, tree.Bad(offset+int64(at)+6, "a name of %d bytes in an entry of %d", length, size)
			}
			names = append(names, tree.Named{Name: string(e[8 : 8+length]), ID: uint64(inode)})
		}
		at += size
	}
	return names, nil
}
