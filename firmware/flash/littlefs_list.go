package flash

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// Types of entries, the upper ones without their lowest bits.
const (
	littlefsName    = 0x000 // and the kind of file
	littlefsRegular = 0x001
	littlefsFolder  = 0x002
	littlefsMagicID = 0x0FF
	littlefsStruct  = 0x200 // and the kind of what is kept
	littlefsCreate  = 0x401
	littlefsDelete  = 0x4FF
	littlefsSum     = 0x500 // and whether what follows is written
	littlefsTail    = 0x600 // and 1: the folder goes on there
)

// littlefsMade is how often a block is believed to make files: each time those behind it move.
const littlefsMade = 1 << 15

// littlefsTag is the head of an entry.
type littlefsTag uint32

func (t littlefsTag) kind() int { return int(t >> 20 & 0x7FF) }
func (t littlefsTag) id() int   { return int(t >> 10 & 0x3FF) }

// size is that of the data; gone: the entry takes back what was said before.
func (t littlefsTag) size() (n int, gone bool) {
	n = int(t & 0x3FF)
	if n == 0x3FF {
		return 0, true
	}
	return n, false
}

// littlefsBlock reads a block of lists: a revision, and commits of entries, each with a checksum. What no checksum follows does not count.
func littlefsBlock(b []byte) (list littlefsList, revision uint32, ok bool) {
	if len(b) < 4 {
		return list, 0, false
	}
	revision = binary.LittleEndian.Uint32(b)
	list.next = littlefsPair{littlefsNone, littlefsNone}
	type entry struct {
		tag  littlefsTag
		data []byte
	}
	var pending []entry
	sum, before := rawCRC(0xFFFFFFFF, b[:4]), uint32(0xFFFFFFFF)
	for at := 4; at+4 <= len(b); {
		stored := binary.BigEndian.Uint32(b[at:])
		tag := littlefsTag(stored ^ before)
		n, _ := tag.size()
		if tag>>31 != 0 || at+4+n > len(b) { // not written
			break
		}
		sum = rawCRC(sum, b[at:at+4])
		data := b[at+4 : at+4+n]
		at += 4 + n
		before = uint32(tag)
		if tag.kind()&^0x7F == littlefsSum {
			if n < 4 || binary.LittleEndian.Uint32(data) != sum {
				break
			}
			for _, e := range pending {
				list.take(e.tag, e.data)
			}
			pending, ok = pending[:0], true
			sum = 0xFFFFFFFF
			before ^= uint32(tag.kind()&1) << 31
			continue
		}
		sum = rawCRC(sum, data)
		pending = append(pending, entry{tag, data})
	}
	list.files = slices.DeleteFunc(list.files, func(f littlefsFile) bool { return f.name == "" })
	return list, revision, ok
}

// take does what an entry says.
func (l *littlefsList) take(tag littlefsTag, data []byte) {
	id, kind := tag.id(), tag.kind()
	_, gone := tag.size()
	if kind&0x700 == littlefsTail {
		if len(data) == 8 {
			l.next, l.more = littlefsPairOf(data), kind&1 != 0
		}
		return
	}
	if id >= littlefsIDs-1 { // of no file
		return
	}
	switch {
	case kind == littlefsCreate:
		if l.made++; l.made > littlefsMade {
			return
		}
		l.grow(id)
		l.files = slices.Insert(l.files, id, littlefsFile{})
		l.files = l.files[:min(len(l.files), littlefsIDs)]
	case kind == littlefsDelete:
		if id < len(l.files) {
			l.files = slices.Delete(l.files, id, id+1)
		}
	case gone:
	case kind == littlefsMagicID && id == 0 && string(data) == "littlefs":
		l.super = []byte{}
		l.grow(1)
	case kind == littlefsStruct|littlefsInline && id == 0 && l.super != nil && l.files[0].name == "":
		l.super = bytes.Clone(data)
	case kind&0x700 == littlefsName && (kind == littlefsRegular || kind == littlefsFolder):
		l.grow(id + 1)
		l.files[id].name, l.files[id].folder = string(data), kind == littlefsFolder
	case kind&0x700 == littlefsStruct:
		l.grow(id + 1)
		l.files[id].kind, l.files[id].data = kind&0xFF, bytes.Clone(data)
	}
}

// grow makes room for n files.
func (l *littlefsList) grow(n int) {
	for len(l.files) < n {
		l.files = append(l.files, littlefsFile{})
	}
}
