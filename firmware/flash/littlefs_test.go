package flash

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
)

// lfsEntry is an entry of a list to be made.
type lfsEntry struct {
	kind, id int
	data     string
	gone     bool
}

func lfsWords(v ...uint32) string {
	var b []byte
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(b)
}

// lfsBlock is a block with commits, each up to a multiple of so many bytes. With a forward checksum, as version 2.1 has it.
func lfsBlock(revision uint32, size, step int, forward bool, commits ...[]lfsEntry) []byte {
	b := []byte(lfsWords(revision))
	before, from := uint32(0xFFFFFFFF), 0
	put := func(kind, id, n int, data string) {
		tag := uint32(kind<<20 | id<<10 | n)
		b = append(binary.BigEndian.AppendUint32(b, tag^before), data...)
		before = tag
	}
	for _, c := range commits {
		for _, e := range c {
			n := len(e.data)
			if e.gone {
				n = 0x3FF
			}
			put(e.kind, e.id, n, e.data)
		}
		if forward {
			erased := bytes.Repeat([]byte{0xFF}, step)
			put(0x5FF, 0x3FF, 8, lfsWords(uint32(step), rawCRC(0xFFFFFFFF, erased)))
		}
		end := (len(b) + 8 + step - 1) / step * step
		put(littlefsSum, 0x3FF, end-len(b)-4, "")
		b = append(b, lfsWords(rawCRC(0xFFFFFFFF, b[from:]))...)
		b = append(b, bytes.Repeat([]byte{0xFF}, end-len(b))...)
		from = end
	}
	return append(b, bytes.Repeat([]byte{0xFF}, size-len(b))...)
}

func lfsSuper(block, count, minor uint32) []lfsEntry {
	return []lfsEntry{
		{kind: littlefsMagicID, data: "littlefs"},
		{kind: littlefsStruct | littlefsInline, data: lfsWords(2<<16|minor, block, count, 255, 0x7FFFFFFF, 0x3FE)},
	}
}

const lfsTestBlock, lfsTestBlocks = 256, 64

// lfsFile is a regular file that lies in its list.
func lfsFile(id int, name, content string) []lfsEntry {
	return []lfsEntry{{kind: littlefsCreate, id: id}, {kind: littlefsRegular, id: id, data: name}, {kind: littlefsStruct | littlefsInline, id: id, data: content}}
}

// lfsChain puts a file into blocks from one on, in reverse, and gives what its entry says.
func lfsChain(image []byte, from int, content string) string {
	at := map[int]uint32{}
	last := 0
	for n, rest := 0, content; len(rest) > 0; n++ {
		at[n], last = uint32(from), n
		var b []byte
		if n > 0 {
			for x := 0; n%(1<<x) == 0; x++ {
				b = append(b, lfsWords(at[n-1<<x])...)
			}
		}
		part := min(len(rest), lfsTestBlock-len(b))
		copy(image[from*lfsTestBlock:], append(b, rest[:part]...))
		rest, from = rest[part:], from+1
	}
	return lfsWords(at[last], uint32(len(content)))
}

func sampleLittleFS() []byte {
	image := bytes.Repeat([]byte{0xFF}, lfsTestBlock*lfsTestBlocks)
	put := func(n int, block []byte) { copy(image[n*lfsTestBlock:], block) }
	long := strings.Repeat("a line of the long file\n", 200)
	exact := strings.Repeat("x", lfsTestBlock+lfsTestBlock-4)
	longAt, exactAt := lfsChain(image, 20, long), lfsChain(image, 50, exact)
	root := append(lfsSuper(lfsTestBlock, lfsTestBlocks, 1), lfsFile(1, "a", "inline")...)
	root = append(root, lfsFile(2, "c", "old")...)
	chained := func(id int, name, at string) []lfsEntry {
		return []lfsEntry{{kind: littlefsCreate, id: id}, {kind: littlefsRegular, id: id, data: name}, {kind: littlefsStruct | littlefsChain, id: id, data: at}}
	}
	put(0, lfsBlock(6, lfsTestBlock, 16, false, lfsSuper(lfsTestBlock, lfsTestBlocks, 1), lfsFile(1, "of before", "")))         // an older one
	put(1, lfsBlock(7, lfsTestBlock, 16, true, append(root, lfsEntry{kind: littlefsTail | 1, id: 0x3FF, data: lfsWords(4, 5)}), // the folder goes on
		lfsFile(2, "b", "between"), // c is the third now
		[]lfsEntry{{kind: littlefsStruct | littlefsInline, id: 3, data: "new"}, {kind: 0x341, id: 3, data: "attribute"}}, // and has another content
	))
	next := append(chained(0, "long", longAt), chained(1, "exact", exactAt)...)
	next = append(next, lfsFile(2, "deleted", "gone")...)
	next = append(next, lfsEntry{kind: littlefsCreate, id: 3}, lfsEntry{kind: littlefsFolder, id: 3, data: "sub"}, lfsEntry{kind: littlefsStruct, id: 3, data: lfsWords(8, 9)},
		lfsEntry{kind: littlefsTail, id: 0x3FF, data: lfsWords(8, 9)})
	put(5, lfsBlock(0xFFFFFFFF, lfsTestBlock, 8, false, next, []lfsEntry{{kind: littlefsDelete, id: 2}}))
	inside := lfsBlock(0, lfsTestBlock, 8, false, lfsFile(0, "file", "in a folder"), lfsFile(1, "not written", "x"))
	inside[bytes.Index(inside, []byte("not written"))] ^= 1 // what no checksum fits does not count
	put(8, inside)
	return image
}

func TestLittleFS(t *testing.T) {
	got := listed(t, open(t, sampleLittleFS()))
	has(t, got, "it [littlefs] version 2.1, 64 blocks of 256 bytes", "a  6 ", `"inline"`, `b  7 `, `"between"`, `c  3 `, `"new"`, "long  4800 ", "exact  508 ", "sub", "sub/file  11 ", `"in a folder"`)
	if strings.Contains(got, "!") || strings.Contains(got, "before") || strings.Contains(got, "deleted") || strings.Contains(got, "not written") {
		t.Error(got)
	}
	// In the midst of other data, and with the first block gone.
	image := sampleLittleFS()
	got = listed(t, open(t, append(bytes.Repeat([]byte("before"), 100), image...)))
	has(t, got, "[littlefs]", "sub/file  11 ")
	copy(image, bytes.Repeat([]byte{0}, lfsTestBlock))
	has(t, listed(t, open(t, image)), "[littlefs]", "sub/file  11 ")
}

// lfs_format of littlefs 2.9 writes these two blocks for 256 of 4096 bytes that are written 128 at once.
func TestLittleFSAsFormatted(t *testing.T) {
	for revision, sum := range map[uint32]string{1: "9353c317", 2: "43c6c693"} {
		b := lfsBlock(revision, 4096, 128, true, lfsSuper(4096, 256, 1))
		if got := hex.EncodeToString(b[60:64]); got != sum {
			t.Errorf("revision %d has the checksum %s, not %s", revision, got, sum)
		}
		if list, n, ok := littlefsBlock(b); !ok || n != revision || len(list.super) != 24 || len(list.files) != 0 {
			t.Errorf("revision %d: %v %+v", revision, ok, list)
		}
	}
}

// Lists and chains that lead back or out end.
func TestLittleFSLoops(t *testing.T) {
	for name, c := range map[string]struct {
		entries []lfsEntry
		want    string
	}{
		"a folder that goes on in itself": {[]lfsEntry{{kind: littlefsTail | 1, id: 0x3FF, data: lfsWords(0, 1)}}, "lead back into themselves"},
		"a folder that holds itself":      {[]lfsEntry{{kind: littlefsFolder, id: 1, data: "loop"}, {kind: littlefsStruct, id: 1, data: lfsWords(0, 1)}}, "lead back into themselves"},
		"a folder that lies outside":      {[]lfsEntry{{kind: littlefsFolder, id: 1, data: "out"}, {kind: littlefsStruct, id: 1, data: lfsWords(900, 901)}}, "hold no whole list"},
		"a chain that lies outside":       {[]lfsEntry{{kind: littlefsRegular, id: 1, data: "out"}, {kind: littlefsStruct | littlefsChain, id: 1, data: lfsWords(900, 10)}}, "leads to block 900"},
		"a file that is too large":        {[]lfsEntry{{kind: littlefsRegular, id: 1, data: "big"}, {kind: littlefsStruct | littlefsChain, id: 1, data: lfsWords(3, 1<<31)}}, "more than all"},
		"a file without a content":        {[]lfsEntry{{kind: littlefsRegular, id: 1, data: "bare"}, {kind: littlefsStruct | 9, id: 1}}, "nothing says where"},
		"a name that leads out":           {lfsFile(1, "../../etc/passwd", "x"), "leads out of it"},
	} {
		image := append(lfsBlock(1, 256, 16, true, append(lfsSuper(256, 8, 0), c.entries...)), bytes.Repeat([]byte{0xFF}, 7*256)...)
		root := open(t, image)
		bounded(t, root)
		if got := listed(t, root); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q is not in\n%s", name, c.want, got)
		}
	}
}

func TestLittleFSCutShort(t *testing.T) { cutShort(t, sampleLittleFS()) }

func FuzzLittleFS(f *testing.F) {
	f.Add(sampleLittleFS())
	f.Add(lfsBlock(1, 4096, 128, true, lfsSuper(4096, 256, 1)))
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, open(t, lfsMended(bytes.Clone(data)))) })
}

// lfsMended makes the checksums of the blocks fit, so that fuzzing comes to what is behind them.
func lfsMended(data []byte) []byte {
	for block := 0; block+lfsTestBlock <= len(data); block += lfsTestBlock {
		b := data[block : block+lfsTestBlock]
		before, from := uint32(0xFFFFFFFF), 0
		for at := 4; at+8 <= len(b); {
			tag := littlefsTag(binary.BigEndian.Uint32(b[at:]) ^ before)
			n, _ := tag.size()
			if tag>>31 != 0 || at+4+n > len(b) {
				break
			}
			before = uint32(tag)
			if tag.kind()&^0x7F == littlefsSum && n >= 4 {
				binary.LittleEndian.PutUint32(b[at+4:], rawCRC(0xFFFFFFFF, b[from:at+4]))
				before ^= uint32(tag.kind()&1) << 31
				from = at + 4 + n
			}
			at += 4 + n
		}
	}
	return data
}
