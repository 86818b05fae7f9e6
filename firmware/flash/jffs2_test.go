package flash

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"strings"
	"testing"
)

// jffs2Maker makes file systems.
type jffs2Maker struct {
	order binary.ByteOrder
	b     []byte
}

// node appends one of a kind: what follows its head is made by words and data.
func (m *jffs2Maker) node(kind uint16, body []byte) int {
	head := make([]byte, 12)
	m.order.PutUint16(head, 0x1985)
	m.order.PutUint16(head[2:], kind)
	m.order.PutUint32(head[4:], uint32(12+len(body)))
	m.order.PutUint32(head[8:], rawCRC(0, head[:8]))
	at := len(m.b)
	m.b = append(append(m.b, head...), body...)
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0xff)
	}
	return at
}

func (m *jffs2Maker) name(parent, version, number uint32, name string) int {
	at := m.node(jffs2NameType, append(make([]byte, 28), name...))
	n := m.b[at:]
	for i, v := range []uint32{parent, version, number, 0} {
		m.order.PutUint32(n[12+4*i:], v)
	}
	n[28] = byte(len(name))
	m.order.PutUint32(n[32:], rawCRC(0, n[:32]))
	m.order.PutUint32(n[36:], rawCRC(0, []byte(name)))
	return at
}

func (m *jffs2Maker) inode(number, version, mode, size, offset uint32, compression byte, length int, packed string) int {
	at := m.node(jffs2InodeType, append(make([]byte, 56), packed...))
	n := m.b[at:]
	for i, v := range []uint32{number, version, mode, 7 | 8<<16, size, 0, 1500000000, 0, offset, uint32(len(packed)), uint32(length)} {
		m.order.PutUint32(n[12+4*i:], v)
	}
	m.order.PutUint16(n[24:], 7)
	m.order.PutUint16(n[26:], 8)
	n[56] = compression
	m.order.PutUint32(n[60:], rawCRC(0, []byte(packed)))
	m.order.PutUint32(n[64:], rawCRC(0, n[:60]))
	return at
}

func (m *jffs2Maker) file(number, version uint32, content string) int {
	return m.inode(number, version, 0o100640, uint32(len(content)), 0, 0, len(content), content)
}

func deflated(s string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	w.Close()
	return b.String()
}

// sampleJFFS2 is one in which all sorts of things happened.
func sampleJFFS2(order binary.ByteOrder) []byte {
	m := &jffs2Maker{order: order}
	m.node(jffs2Marker, nil)
	m.name(1, 1, 2, "etc")
	m.inode(2, 1, 0o040755, 0, 0, 0, 0, "")
	m.name(2, 1, 3, "passwd")
	m.file(3, 1, "the first version")
	m.inode(3, 2, 0o104640, 17, 4, 0, 5, "NEWER") // in the midst of it
	m.name(2, 2, 4, "gone")
	m.file(4, 1, "removed")
	m.name(2, 3, 0, "gone")
	m.name(2, 4, 5, "short")
	m.file(5, 1, "cut to the first words")
	m.inode(5, 2, 0o100600, 6, 0, 0, 0, "")
	m.name(1, 2, 3, "hard")
	m.name(1, 3, 6, "link")
	m.inode(6, 1, 0o120777, 10, 0, 0, 10, "etc/passwd")
	m.name(1, 4, 7, "packed")
	m.inode(7, 1, 0o100644, 4296, 0, 6, 100, deflated(strings.Repeat("z", 100)))
	m.inode(7, 2, 0o100644, 4296, 4096, 2, 200, "a\x00b\x00a\xc5") // a hole before it
	m.inode(7, 3, 0o100644, 4296, 100, 1, 50, "")
	m.name(1, 5, 8, "damaged")
	m.file(8, 1, "the version before")
	bad := m.file(8, 2, "the version after!")
	m.b[bad+70] ^= 1
	old := m.file(8, 3, "the version that is obsolete")
	order.PutUint16(m.b[old+2:], jffs2InodeType&^jffs2Accurate)
	m.name(1, 6, 9, "a/b")
	m.name(1, 7, 99, "nowhere")
	m.name(2, 5, 2, "loop")
	return m.b
}

const jffs2Files = `  ! 2 of its nodes do not fit their checksums and are left out
  ! "nowhere": nothing is known of inode 99
  ! "etc/loop" is a second name of a folder
  -rw-r----- 7:8 damaged  18 983e566c "the version before"
  drwxr-xr-x 7:8 etc 
  urw-r----- 7:8 hard  17 69c3d7da "the NEWER version"
  Lrwxrwxrwx 7:8 link etc/passwd
  -rw-r--r-- 7:8 packed  4296 356b426a "zzzzzzzzzzzzzzzzzzzz"
  u?rw-r----- 7:8 etc/passwd hard
  -rw------- 7:8 etc/short  6 44de02f8 "cut to"
`

func TestJFFS2(t *testing.T) {
	for head, order := range map[string]binary.ByteOrder{"little-endian": binary.LittleEndian, "big-endian": binary.BigEndian} {
		got := listed(t, open(t, sampleJFFS2(order)))
		want := "it [jffs2] " + head + ", 22 nodes\n" + jffs2Files
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
}

// Two file systems that lie side by side are told apart, and what follows them too.
func TestJFFS2SideBySide(t *testing.T) {
	var data []byte
	for _, content := range []string{"one", "two"} {
		m := &jffs2Maker{order: binary.LittleEndian}
		m.node(jffs2Marker, nil)
		m.name(1, 1, 2, "a")
		m.file(2, 1, content)
		data = append(data, m.b...)
		data = append(data, strings.Repeat("\xff", 2*jffs2Block-len(m.b))...)
	}
	data = append(data, strings.Repeat("other data", 70_000)...)
	has(t, listed(t, open(t, data)), `it: jffs2 at 0x0 [jffs2]`, `"one"`, `it: jffs2 at 0x20000 [jffs2]`, `"two"`, "it: data at 0x30000")
}

func TestJFFS2CutShort(t *testing.T) { cutShort(t, sampleJFFS2(binary.LittleEndian)) }

// Nodes that ask for more than they are worth get it not.
func TestJFFS2Hostile(t *testing.T) {
	m := &jffs2Maker{order: binary.LittleEndian}
	m.name(1, 1, 2, "hole")
	m.inode(2, 1, 0o100644, 1<<32-1, 0, 0, 0, "")
	m.name(1, 2, 3, "large")
	m.inode(3, 1, 0o100644, 1<<31, 0, 6, 1<<31, deflated("small"))
	m.name(1, 3, 4, "strange")
	m.inode(4, 1, 0o100644, 9, 0, 77, 9, "packed")
	m.name(1, 4, 5, "short")
	m.inode(5, 1, 0o100644, 9, 0, 0, 9, "packed")
	has(t, listed(t, open(t, m.b)), "from here on it is left out: a hole of 4294967295 bytes", "a node is said to hold 2147483648 bytes",
		"in the way of number 77", "6 bytes come of it where there should be 9")
	bounded(t, open(t, m.b))
}

// OpenWrt's lzma, as liblzma packs with lc, lp and pb 0.
func TestJFFS2LZMA(t *testing.T) {
	const packed = "\x00\x3a\x1b\x37\xbe\x68\x2f\x53\xf8\x4a\x53\x42\x6b\x51\x4a\xbe\xcc\x5f\x84\x7d\xf4\x3a\x86\xc9\x55\xb4\x97\x23\xff\xff\xfd\x79\xc0\x00"
	m := &jffs2Maker{order: binary.LittleEndian}
	m.name(1, 1, 2, "f")
	m.inode(2, 1, 0o100644, 400, 0, 8, 400, packed)
	root := open(t, m.b)
	if b, err := root.Children[0].Read(1000); err != nil || string(b) != strings.Repeat("the quick brown fox ", 20) {
		t.Errorf("%q, %v, %v", b, err, root.Children[0].Notes)
	}
}

func FuzzJFFS2(f *testing.F) {
	f.Add(sampleJFFS2(binary.LittleEndian))
	f.Add(sampleJFFS2(binary.BigEndian))
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, open(t, mended(bytes.Clone(data)))) })
}

// mended makes the checksums of the nodes of JFFS2 fit, so that fuzzing comes to what is behind them.
func mended(data []byte) []byte {
	for at := 0; at+12 <= len(data); at += 4 {
		order := binary.ByteOrder(binary.LittleEndian)
		if data[at] == 0x19 {
			order = binary.BigEndian
		}
		b := data[at:]
		if order.Uint16(b) != 0x1985 {
			continue
		}
		order.PutUint32(b[8:], rawCRC(0, b[:8]))
		switch kind := order.Uint16(b[2:]); {
		case kind == jffs2NameType && len(b) > 28 && len(b) >= jffs2NameHead+int(b[28]):
			order.PutUint32(b[32:], rawCRC(0, b[:32]))
			order.PutUint32(b[36:], rawCRC(0, b[jffs2NameHead:][:b[28]]))
		case kind == jffs2InodeType && len(b) >= jffs2InodeHead:
			packed := min(int64(order.Uint32(b[48:])), int64(len(b)-jffs2InodeHead))
			order.PutUint32(b[60:], rawCRC(0, b[jffs2InodeHead:][:packed]))
			order.PutUint32(b[64:], rawCRC(0, b[:60]))
		}
	}
	return data
}
