package squash

import (
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// kind is the type of an inode. The numbers from 8 on are extended ones, in version 3 of other meaning.
type kind int

const (
	kindFolder kind = 1 + iota
	kindFile
	kindLink
	kindBlock
	kindChar
	kindPipe
	kindSocket
)

// format is the part of st_mode that says the type.
var format = [...]uint32{kindFolder: 0o040000, kindFile: 0o100000, kindLink: 0o120000, kindBlock: 0o060000, kindChar: 0o020000, kindPipe: 0o010000, kindSocket: 0o140000}

const noFragment = 0xffffffff

// inode is one, as far as it is needed.
type inode struct {
	kind   kind
	number uint32
	links  uint32
	file   tree.File

	size     int64 // of a file; of a folder three more than its list has
	start    int64 // of a file: where its blocks lie; of a folder: the block of its list
	offset   int   // of a file in its fragment; of a folder in the block
	fragment uint32
	blocks   cursor // where the sizes of its blocks are listed
}

// inode reads the one that a reference leads to.
func (m *image) inode(ref uint64) (inode, error) {
	c := m.at(m.inodeTable, ref>>16, int(ref&0xffff))
	if m.major == 3 {
		return m.inode3(c)
	}
	f, err := c.fields(16)
	if err != nil {
		return inode{}, err
	}
	number, perm := int(f.bits(16)), uint32(f.bits(16))
	uid, gid := int(f.bits(16)), int(f.bits(16))
	n := inode{file: tree.File{Modified: time.Unix(int64(f.bits(32)), 0).UTC()}, number: uint32(f.bits(32)), links: 1, fragment: noFragment}
	if number < 1 || number > 14 {
		return n, fault(c.block, "an inode of type %d", number)
	}
	n.kind = kind((number-1)%7 + 1)
	n.file.Mode = tree.UnixMode(format[n.kind] | perm&0o7777)
	n.file.UID, n.file.GID = m.id(uid), m.id(gid)
	extended := number > 7
	switch {
	case n.kind == kindFolder && !extended:
		f, err = c.fields(16)
		n.start = int64(f.bits(32))
		f.skip(32)
		n.size, n.offset = int64(f.bits(16)), int(f.bits(16))
	case n.kind == kindFolder:
		f, err = c.fields(24)
		f.skip(32)
		n.size, n.start = int64(f.bits(32)), int64(f.bits(32))
		f.skip(32 + 16)
		n.offset = int(f.bits(16))
	case n.kind == kindFile && !extended:
		f, err = c.fields(16)
		n.start, n.fragment, n.offset, n.size = int64(f.bits(32)), uint32(f.bits(32)), int(f.bits(32)), int64(f.bits(32))
	case n.kind == kindFile:
		f, err = c.fields(40)
		n.start, n.size = int64(f.bits(64)), int64(f.bits(64))
		f.skip(64)
		n.links, n.fragment, n.offset = uint32(f.bits(32)), uint32(f.bits(32)), int(f.bits(32))
	case n.kind == kindLink:
		f, err = c.fields(8)
		f.skip(32)
		if err == nil {
			n.file.Target, err = target(c, int(f.bits(32)))
		}
	}
	n.blocks = *c
	return n, err
}

// target reads where a symbolic link leads.
func target(c *cursor, size int) (string, error) {
	if size > 65536 {
		return "", fault(c.block, "a symbolic link of %d bytes", size)
	}
	b, err := c.read(size)
	return string(b), err
}

// id is an owner by its number in the table; -1: there is none.
func (m *image) id(i int) int {
	if i >= m.ids {
		return -1
	}
	f, err := m.entry(m.idTable, i, 4)
	if err != nil {
		return -1
	}
	return int(f.bits(32))
}

// sameOwner stands in a version 3 inode for a group with the number of the owner.
const sameOwner = 255

// inode3 reads one of version 3.
func (m *image) inode3(c *cursor) (inode, error) {
	f, err := c.fields(12)
	if err != nil {
		return inode{}, err
	}
	number, perm, uid, gid := int(f.bits(4)), uint32(f.bits(12)), int(f.bits(8)), int(f.bits(8))
	n := inode{file: tree.File{Modified: time.Unix(int64(f.bits(32)), 0).UTC()}, number: uint32(f.bits(32)), links: 1, fragment: noFragment}
	if number < 1 || number > 9 {
		return n, fault(c.block, "an inode of type %d", number)
	}
	n.kind = kind((number-1)%7 + 1)
	n.file.Mode = tree.UnixMode(format[n.kind] | perm)
	n.file.UID = m.id3(m.idTable, m.ids, uid)
	n.file.GID = n.file.UID
	if gid != sameOwner {
		n.file.GID = m.id3(m.gidTable, m.gids, gid)
	}
	switch number {
	case 1:
		f, err = c.fields(16)
		f.skip(32)
		n.size, n.offset, n.start = int64(f.bits(19)), int(f.bits(13)), int64(f.bits(32))
	case 8:
		f, err = c.fields(19)
		f.skip(32)
		n.size, n.offset, n.start = int64(f.bits(27)), int(f.bits(13)), int64(f.bits(32))
	case 2:
		f, err = c.fields(20)
		n.start, n.fragment, n.offset, n.size = int64(f.bits(64)), uint32(f.bits(32)), int(f.bits(32)), int64(f.bits(32))
	case 9:
		f, err = c.fields(28)
		n.links = uint32(f.bits(32))
		n.start, n.fragment, n.offset, n.size = int64(f.bits(64)), uint32(f.bits(32)), int(f.bits(32)), int64(f.bits(64))
	case 3:
		f, err = c.fields(6)
		f.skip(32)
		if err == nil {
			n.file.Target, err = target(c, int(f.bits(16)))
		}
	}
	n.blocks = *c
	return n, err
}

func (m *image) id3(table int64, count, i int) int {
	if i >= count {
		return -1
	}
	b, err := m.o.Read(table+4*int64(i), 4)
	if err != nil {
		return -1
	}
	return int(m.number(b))
}
