package flash

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"strings"
	"testing"
)

const ubifsTestBlock = 8192

// ubifsMaker makes file systems: block 0 holds the superblock, 1 and 2 the master nodes, 3 and 4 the log, 5 nodes of the index and
// their leaves, 6 the journal.
type ubifsMaker struct {
	b        []byte
	next     map[int]int // where the next node of a block goes
	sequence uint64
	branches []byte
}

func newUBIFSMaker() *ubifsMaker {
	return &ubifsMaker{b: bytes.Repeat([]byte{0xff}, 8*ubifsTestBlock), next: map[int]int{}}
}

// node puts one into a block; put fills it in.
func (m *ubifsMaker) node(block, kind, size int, put func(b []byte)) (offset int) {
	offset = m.next[block]
	b := m.b[block*ubifsTestBlock+offset:][:size]
	clear(b)
	m.sequence++
	binary.LittleEndian.PutUint32(b, 0x06101831)
	binary.LittleEndian.PutUint64(b[8:], m.sequence)
	binary.LittleEndian.PutUint32(b[16:], uint32(size))
	b[20] = byte(kind)
	put(b)
	binary.LittleEndian.PutUint32(b[4:], rawCRC(0xffffffff, b[8:]))
	m.next[block] = (offset + size + 7) &^ 7
	return offset
}

func ubifsTestKey(inode uint32, kind, block uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, inode), kind<<29|block)
}

// leaf puts a node with a key into a block; one of block 5 is in the index too.
func (m *ubifsMaker) leaf(block, kind, size int, key []byte, put func(b []byte)) {
	at := m.node(block, kind, size, func(b []byte) {
		copy(b[24:], key)
		put(b)
	})
	if block == 5 {
		for _, v := range []int{block, at, size} {
			m.branches = binary.LittleEndian.AppendUint32(m.branches, uint32(v))
		}
		m.branches = append(m.branches, key...)
	}
}

func (m *ubifsMaker) inode(block int, inode, mode uint32, size, links int, content string) {
	m.leaf(block, ubifsInode, 160+len(content), ubifsTestKey(inode, ubifsInode, 0), func(b []byte) {
		binary.LittleEndian.PutUint64(b[48:], uint64(size))
		binary.LittleEndian.PutUint32(b[92:], uint32(links))
		binary.LittleEndian.PutUint32(b[104:], mode)
		binary.LittleEndian.PutUint32(b[112:], uint32(len(content)))
		copy(b[160:], content)
	})
}

func (m *ubifsMaker) name(block int, parent, inode uint32, name string) {
	m.leaf(block, ubifsName, 57+len(name), ubifsTestKey(parent, ubifsName, uint32(len(m.branches))), func(b []byte) {
		binary.LittleEndian.PutUint64(b[40:], uint64(inode))
		binary.LittleEndian.PutUint16(b[50:], uint16(len(name)))
		copy(b[56:], name)
	})
}

func (m *ubifsMaker) data(block int, inode, piece uint32, compression, length int, packed string) {
	m.leaf(block, ubifsData, 48+len(packed), ubifsTestKey(inode, ubifsData, piece), func(b []byte) {
		binary.LittleEndian.PutUint32(b[40:], uint32(length))
		binary.LittleEndian.PutUint16(b[44:], uint16(compression))
		copy(b[48:], packed)
	})
}

func (m *ubifsMaker) cut(inode uint32, size int) {
	m.node(6, ubifsCut, 56, func(b []byte) {
		binary.LittleEndian.PutUint32(b[24:], inode)
		binary.LittleEndian.PutUint64(b[48:], uint64(size))
	})
}

// finish writes the index with its root and what tells of it, and a log that tells of the journal.
func (m *ubifsMaker) finish() []byte {
	m.node(0, ubifsSuper, 4096, func(b []byte) {
		for at, v := range map[int]uint32{32: 8, 36: ubifsTestBlock, 40: 8, 56: 2} {
			binary.LittleEndian.PutUint32(b[at:], v)
		}
	})
	index := m.node(5, ubifsIndex, 28+len(m.branches), func(b []byte) {
		binary.LittleEndian.PutUint16(b[24:], uint16(len(m.branches)/20))
		copy(b[28:], m.branches)
	})
	root := m.node(5, ubifsIndex, 48, func(b []byte) {
		binary.LittleEndian.PutUint16(b[24:], 1)
		binary.LittleEndian.PutUint16(b[26:], 1)
		binary.LittleEndian.PutUint32(b[28:], 5)
		binary.LittleEndian.PutUint32(b[32:], uint32(index))
	})
	for _, master := range []struct{ block, root int }{{1, 0}, {1, root}, {2, root}} { // the first is outdated
		m.node(master.block, ubifsMaster, 512, func(b []byte) {
			for at, v := range map[int]uint32{32: 42, 44: ubifsLog, 48: 5, 52: uint32(master.root)} {
				binary.LittleEndian.PutUint32(b[at:], v)
			}
		})
	}
	m.node(3, ubifsStart, 32, func(b []byte) { binary.LittleEndian.PutUint32(b[24:], 42) })
	m.node(3, ubifsRef, 64, func(b []byte) { binary.LittleEndian.PutUint32(b[24:], 6) })
	return m.b
}

func sampleUBIFS() []byte {
	m := newUBIFSMaker()
	m.inode(5, 1, 0o040755, 0, 2, "")
	m.name(5, 1, 2, "etc")
	m.inode(5, 2, 0o040755, 0, 2, "")
	m.name(5, 2, 3, "passwd")
	m.inode(5, 3, 0o100600, 11, 2, "")
	m.data(5, 3, 0, 0, 11, "hello world")
	m.name(5, 1, 3, "hard")
	m.name(5, 1, 4, "link")
	m.inode(5, 4, 0o120777, 10, 1, "etc/passwd")
	m.name(5, 1, 5, "packed")
	m.inode(5, 5, 0o104755, 5096, 1, "")
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, 9)
	_, _ = w.Write(bytes.Repeat([]byte("z"), 1000))
	w.Close()
	m.data(5, 5, 1, 2, 1000, packed.String())
	m.name(5, 1, 6, "changed")
	m.inode(5, 6, 0o100644, 6, 1, "")
	m.data(5, 6, 0, 0, 6, "before")
	m.name(5, 1, 7, "removed")
	m.inode(5, 7, 0o100644, 6, 1, "")
	m.name(5, 2, 2, "loop")
	m.name(5, 1, 8, "shortened")
	m.inode(5, 8, 0o100644, 4100, 1, "")
	m.data(5, 8, 0, 0, 4, "keep")
	m.data(5, 8, 1, 0, 4, "gone")
	return m.journalled()
}

// journalled is the sample with a journal.
func (m *ubifsMaker) journalled() []byte {
	m.data(6, 6, 0, 0, 5, "after")
	m.inode(6, 6, 0o100640, 5, 1, "")
	m.node(6, ubifsPad, 28, func(b []byte) { binary.LittleEndian.PutUint32(b[24:], 4) })
	m.name(6, 1, 0, "removed")
	m.inode(6, 7, 0o100644, 6, 0, "")
	m.cut(8, 4)
	m.inode(6, 8, 0o100644, 4099, 1, "")
	m.name(6, 2, 9, "new")
	m.inode(6, 9, 0o100644, 0, 1, "")
	return m.finish()
}

const ubifsFiles = `it [ubifs] blocks of 8192 bytes, none
  ! it was not unmounted: 8 nodes of its journal were replayed
  ! "etc/loop" is a second name of a folder
  drwxr-xr-x 0:0 etc 
  -rw------- 0:0 hard  11 0d4a1185 "hello world"
  Lrwxrwxrwx 0:0 link etc/passwd
  urwxr-xr-x 0:0 packed  5096 f65dc667 "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
  -rw-r----- 0:0 changed  5 89444e41 "after"
  -rw-r--r-- 0:0 shortened  4099 85cae849 "keep\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
  ?rw------- 0:0 etc/passwd hard
  -rw-r--r-- 0:0 etc/new  0 00000000 ""
`

func TestUBIFS(t *testing.T) {
	if got := listed(t, open(t, sampleUBIFS())); got != ubifsFiles {
		t.Errorf("got\n%swant\n%s", got, ubifsFiles)
	}
}

func TestUBIFSHostile(t *testing.T) {
	sample := sampleUBIFS()
	cutShort(t, sample)
	m := newUBIFSMaker()
	m.inode(5, 1, 0o040755, 0, 2, "")
	m.name(5, 1, 2, "hole")
	m.inode(5, 2, 0o100644, 1<<50, 1, "")
	m.name(5, 1, 3, "large")
	m.inode(5, 3, 0o100644, 4096, 1, "")
	m.data(5, 3, 0, 3, 1<<30, "x")
	m.name(5, 1, 4, "strange")
	m.inode(5, 4, 0o100644, 4, 1, "")
	m.data(5, 4, 0, 9, 4, "x")
	m.name(5, 1, 5, "nowhere")
	m.branches = append(m.branches, "\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00"...)
	m.name(5, 1, 6, "../up")
	got := listed(t, open(t, m.finish()))
	has(t, got, "a hole of 1125899906842624 bytes", "a node is said to hold 1073741824 bytes", "in the way of number 9", "nothing is known of inode 5",
		"a node is said to lie in block 4294967295", `a file is called "../up"`)
	loop := newUBIFSMaker() // a node of the index that is its own child
	loop.inode(5, 1, 0o040755, 0, 2, "")
	b := loop.finish()
	at := 5*ubifsTestBlock + loop.next[5] - 48
	binary.LittleEndian.PutUint32(b[at+32:], uint32(at-5*ubifsTestBlock))
	binary.LittleEndian.PutUint32(b[at+4:], rawCRC(0xffffffff, b[at+8:at+48]))
	has(t, listed(t, open(t, b)), "has level 1 and 1 branches")
	if strings.Contains(listed(t, open(t, b[:3*ubifsTestBlock])), "[jffs2]") {
		t.Error("taken for another")
	}
}

func FuzzUBIFS(f *testing.F) {
	f.Add(sampleUBIFS())
	f.Fuzz(func(t *testing.T, data []byte) {
		data = bytes.Clone(data)
		for at := 0; at+24 <= len(data); at += 8 { // the checksums are made to fit
			b := data[at:]
			if size := binary.LittleEndian.Uint32(b[16:]); binary.LittleEndian.Uint32(b) == 0x06101831 && size >= 24 && int64(size) <= int64(len(b)) {
				binary.LittleEndian.PutUint32(b[4:], rawCRC(0xffffffff, b[8:size]))
			}
		}
		bounded(t, open(t, data))
	})
}
