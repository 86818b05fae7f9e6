package squash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// plain makes an image whose blocks are not compressed, so that every byte of it can be changed.
func plain(t testing.TB, major int, big bool) []byte {
	k := newMaker(major, big)
	k.pack = bytes.Clone
	return k.image(sample(t)...)
}

const few = 1000 // more things than these are in no image that was changed a little

// bounded opens data and fails when more comes of them than may.
func bounded(t *testing.T, data []byte) *tree.Node {
	t.Helper()
	n := opened(t, data, tree.Limits{Bytes: 4 << 20, Nodes: few, Depth: 3})
	count, size := 0, int64(0)
	for c := range n.All() {
		count++
		if c.File != nil {
			size += c.Size()
		}
		for _, note := range c.Notes {
			if strings.Contains(note.Text, "its reader failed") {
				t.Errorf("%s: %s", c.Path(), note)
			}
		}
	}
	if count > few+100 || size > 4<<20+64<<10 {
		t.Errorf("%d things of %d bytes", count, size)
	}
	return n
}

func TestTruncated(t *testing.T) {
	for _, major := range []int{3, 4} {
		data := newMaker(major, major == 3).image(sample(t)...)
		if n := bounded(t, data[:len(data)/2]); len(n.Notes) != 1 || !strings.Contains(n.Notes[0].Text, "cut off") {
			t.Errorf("the first half: %v", n.Notes)
		}
		for n := 0; n < len(data); n += 1 + n/100 {
			bounded(t, data[:n])
		}
	}
}

func TestChanged(t *testing.T) {
	for _, major := range []int{3, 4} {
		data := plain(t, major, major == 3)
		places := []int{}
		for i := range 120 {
			places = append(places, i)
		}
		inodes := readable(t, data).inodeTable
		for i := int(inodes); i < len(data); i++ {
			places = append(places, i)
		}
		for _, i := range places {
			changed := bytes.Clone(data)
			changed[i] ^= []byte{0x01, 0x80, 0xff}[i%3]
			bounded(t, changed)
		}
	}
}

func readable(t *testing.T, data []byte) super {
	t.Helper()
	s := super{}
	if data[28] == 0 {
		s.big = true
	}
	f := &fields{b: data[4:], order: s.order}
	var err error
	if data[28]|data[29] == 4 {
		err = s.read4(f)
	} else {
		err = s.read3(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A folder that holds itself, and one that comes twice, are met once.
func TestLoop(t *testing.T) {
	k := newMaker(4, false)
	k.pack = bytes.Clone
	data := k.image(
		made{name: "", kind: kindFolder, perm: 0o755},
		made{name: "a", kind: kindFolder, perm: 0o755},
		made{name: "a/b", kind: kindFolder, perm: 0o755},
		made{name: "a/b/file", kind: kindFile, content: "x"},
	)
	s := readable(t, data)
	table := data[s.directoryTable+2:] // the lists of a/b, a and the root
	own := uint16(k.refs["a"])
	changed := 0
	for i := 8; i < len(table); i++ {
		if table[i] == 'b' && binary.LittleEndian.Uint16(table[i-8:]) == uint16(k.refs["a/b"]) {
			binary.LittleEndian.PutUint16(table[i-8:], own)
			changed++
		}
	}
	if changed != 1 {
		t.Fatalf("%d entries changed", changed)
	}
	n := bounded(t, data)
	if len(n.Notes) != 1 || !strings.Contains(n.Notes[0].Text, `"a/b" is also that of another`) {
		t.Errorf("notes %v of\n%s", n.Notes, listing(t, n))
	}
}

// A file with a size that nothing stands behind gives what is there, and a note.
func TestLyingSize(t *testing.T) {
	k := newMaker(4, false)
	k.pack = bytes.Clone
	data := k.image(made{name: "", kind: kindFolder, perm: 0o755}, made{name: "file", kind: kindFile, content: strings.Repeat("x", 5000)})
	s := readable(t, data)
	size := data[s.inodeTable+2+16+12:]
	if binary.LittleEndian.Uint32(size) != 5000 {
		t.Fatal("the size is elsewhere")
	}
	binary.LittleEndian.PutUint32(size, 0x7fffffff)
	n := bounded(t, data)
	if len(n.Children) != 1 || len(n.Children[0].Notes) != 1 {
		t.Errorf("%v\n%s", n.Notes, listing(t, n))
	}
}

// Names that lead out are made to stay inside.
func TestNames(t *testing.T) {
	k := newMaker(4, false)
	k.pack = bytes.Clone
	data := k.image(made{name: "", kind: kindFolder, perm: 0o755}, made{name: "abc", kind: kindFile}, made{name: "de", kind: kindFile})
	data = bytes.Replace(data, []byte("abc"), []byte("a/c"), 1)
	data = bytes.Replace(data, []byte("\x00de"), []byte("\x00.."), 1)
	n := bounded(t, data)
	if got := listing(t, n); got != "a?c ---------- 0:0 0\n. ---------- 0:0 0\n" || len(n.Notes) != 2 {
		t.Errorf("got\n%s%v", got, n.Notes)
	}
}

// A damaged block becomes zeros, and the rest of the file and of the tree stay.
func TestDamagedBlock(t *testing.T) {
	k := newMaker(4, false)
	content := strings.Repeat("line after line\n", 1024) // four blocks
	data := k.image(
		made{name: "", kind: kindFolder, perm: 0o755}, made{name: "first", kind: kindFile, content: content}, made{name: "second", kind: kindFile, content: "x"},
	)
	for i := range 6 {
		data[superSize4+i] = 0xff
	}
	n := bounded(t, data)
	if len(n.Children) != 2 || len(n.Children[0].Notes) != 1 || len(n.Children[1].Notes) != 0 {
		t.Fatalf("%v\n%s", n.Notes, listing(t, n))
	}
	got, err := n.Children[0].Read(1 << 20)
	if want := strings.Repeat("\x00", 4096) + content[4096:]; err != nil || string(got) != want {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestFindsItsCompression(t *testing.T) {
	data := newMaker(4, false).image(sample(t)...)
	binary.LittleEndian.PutUint16(data[20:], 4) // xz, it says
	n := opened(t, data, tree.Limits{})
	if got := listing(t, n); got != sampleListing || fmt.Sprint(n.Notes) != "[at 0x14: it is compressed with gzip, and does not say so]" {
		t.Errorf("%v\n%s", n.Notes, got)
	}
}

func FuzzOpen(f *testing.F) {
	for _, major := range []int{3, 4} {
		for _, big := range []bool{false, true} {
			f.Add(plain(f, major, big))
			f.Add(newMaker(major, big).image(sample(f)[:6]...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, data) })
}
