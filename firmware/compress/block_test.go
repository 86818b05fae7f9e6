package compress

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// packed is content as blocks, by the id of the Block that unpacks it.
func packed(t testing.TB) map[string][]byte {
	all := samples(t)
	lz4, lzo := all["legacy.lz4"], all["crc32.lzo"]
	return map[string][]byte{
		"xz": all["blocks.xz"], "lzma": all["content.lzma"], "zstd": all["content.zst"], "zlib": all["content.zlib"],
		"deflate": all["content.zlib"][2 : len(all["content.zlib"])-4],
		"lz4":     lz4[8:],
		"lzo":     lzo[len(lzo)-4-lzoSize(lzo):][:lzoSize(lzo)],
	}
}

// lzoSize is that of the only block of a file: behind its header stand the sizes of what comes of it and of it, and a checksum.
func lzoSize(file []byte) int {
	size := len(content())
	at := bytes.LastIndex(file, []byte{0, 0, byte(size >> 8), byte(size)})
	return int(file[at+6])<<8 | int(file[at+7])
}

func TestBlocks(t *testing.T) {
	for id, src := range packed(t) {
		unpack, want := Blocks(id), content()
		for _, dst := range [][]byte{nil, make([]byte, 0, len(want)), append(make([]byte, 0, 100), "before"...), append(make([]byte, 0, 10000), "before"...)} {
			for range 2 { // decoders are used again
				got, err := unpack(dst, src, len(want))
				if err != nil || string(got) != string(dst)+want {
					t.Errorf("%s: %d bytes, %v", id, len(got), err)
				}
			}
		}
		if got, err := unpack(nil, src, len(want)+1000); err != nil || string(got) != want {
			t.Errorf("%s, with room: %d bytes, %v", id, len(got), err)
		}
		if got, err := unpack([]byte("before"), src, len(want)-1); err == nil || len(got) > len(want)+5 {
			t.Errorf("%s, too large: %d bytes, %v", id, len(got), err)
		}
		if _, err := unpack(nil, src, 1); id != "zstd" && !errors.Is(err, ErrTooLarge) && !errors.Is(err, errDamaged) {
			t.Errorf("%s, too large: %v", id, err)
		}
		for _, n := range []int{0, 1, 5, len(src) / 2, len(src) - 5} {
			if got, err := unpack(nil, src[:n], len(want)); err == nil {
				t.Errorf("%s of %d bytes: %d bytes, no error", id, n, len(got))
			}
		}
	}
	if Blocks("none") != nil {
		t.Error("a block of no name")
	}
}

func TestLZMAWithoutHeader(t *testing.T) {
	all := samples(t)
	for name, unpack := range map[string]Block{"content.lzma": LZMA(3, 0, 2), "lc1.lzma": LZMA(1, 2, 2)} {
		src := all[name][lzmaHead:]
		if got, err := unpack(nil, src, 2*len(content())); err != nil || string(got) != content() {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if got, err := unpack(nil, src, len(content())); err != nil || string(got) != content() {
			t.Errorf("%s, with its size: %d bytes, %v", name, len(got), err)
		}
		if got, err := unpack(nil, src[:len(src)/2], 2*len(content())); err != nil || !strings.HasPrefix(string(got), content()[:1000]) {
			t.Errorf("%s, broken off: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestDictionaryLimit(t *testing.T) {
	src := bytes.Clone(samples(t)["content.lzma"])
	copy(src[1:], "\xff\xff\xff\x7f")
	if _, err := unlzma(nil, src, 1<<20); err == nil || !strings.Contains(err.Error(), "dictionary") {
		t.Errorf("a dictionary of 2 GiB: %v", err)
	}
}

func FuzzBlocks(f *testing.F) {
	ids := []string{"deflate", "lz4", "lzma", "lzo", "xz", "zlib", "zstd"}
	for i, id := range ids {
		f.Add(byte(i), packed(f)[id])
	}
	f.Add(byte(7), samples(f)["lc1.lzma"][lzmaHead:])
	f.Fuzz(func(t *testing.T, which byte, src []byte) {
		unpack := LZMA(1, 2, 2)
		if int(which) < len(ids) {
			unpack = Blocks(ids[which])
		}
		dst := []byte("before")
		got, _ := unpack(dst, src, 10000)
		if len(got) > len(dst)+10000 || !bytes.HasPrefix(got, dst) {
			t.Errorf("%d bytes came of it", len(got))
		}
	})
}

func FuzzFilters(f *testing.F) {
	f.Add(byte(4), uint32(0), bytes.Repeat([]byte("\xe8\x00\x10\x00\x00\x00\x01\xe9\xff\xff\xff\xff"), 9), 7)
	f.Fuzz(func(t *testing.T, id byte, pos uint32, data []byte, cut int) {
		if id < 4 || id > 10 || len(data) > 1<<16 {
			return
		}
		props := []byte{byte(pos), byte(pos >> 8), byte(pos >> 16), byte(pos >> 24)}
		whole, err := newFilter(uint64(id), props)
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Clone(data)
		whole.run(want)
		// Bytes that come bit by bit are filtered as those that come at once.
		parts, _ := newFilter(uint64(id), props)
		var got bytes.Buffer
		w := &filtered{filters: []*filter{parts}, w: &got}
		cut = min(max(cut, 0), len(data))
		w.Write(bytes.Clone(data[:cut]))
		w.Write(bytes.Clone(data[cut:]))
		w.end()
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("filter %d cut at %d: %x, at once %x", id, cut, got.Bytes(), want)
		}
	})
}
