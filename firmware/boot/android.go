package boot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// sparse is Android's sparse image (system/core/libsparse/sparse_format.h).
var sparse = tree.Format{ID: "android-sparse", Title: "Android sparse image", Magic: []tree.Magic{{At: 0, Bytes: "\x3a\xff\x26\xed"}}, Search: true, Open: openSparse}

const (
	sparseRaw  = 0xcac1
	sparseFill = 0xcac2
	sparseSkip = 0xcac3
	sparseCRC  = 0xcac4
)

func openSparse(o *tree.Opening) error {
	head, err := o.Read(0, 28)
	if err != nil {
		return tree.ErrNot
	}
	short := func(at int) int64 { return int64(binary.LittleEndian.Uint16(head[at:])) }
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint32(head[at:])) }
	fileHead, chunkHead, block, chunks := short(8), short(10), word(12), word(20)
	if short(4) != 1 || fileHead < 28 || chunkHead < 12 || block == 0 || block%4 != 0 || block > 1<<20 {
		return tree.ErrNot
	}
	o.Describe("%d blocks of %d bytes in %d chunks", word(16), block, chunks)
	at := fileHead
	_, err = o.Made("image", func(w io.Writer) error {
		for n := range chunks {
			c, err := o.Read(at, int(chunkHead))
			if err != nil {
				return err
			}
			kind := binary.LittleEndian.Uint16(c)
			blocks, size := int64(binary.LittleEndian.Uint32(c[4:])), int64(binary.LittleEndian.Uint32(c[8:]))
			body := size - chunkHead
			if body < 0 || body > o.Size()-at-chunkHead {
				return tree.Bad(at, "chunk %d is said to be %d bytes long", n, size)
			}
			if err := sparseChunk(o, w, kind, at+chunkHead, body, blocks*block); err != nil {
				return err
			}
			at += size
		}
		return nil
	})
	o.Ends(at)
	return err
}

// sparseChunk writes what a chunk stands for, which is length bytes long; its own size bytes lie at an offset.
func sparseChunk(o *tree.Opening, w io.Writer, kind uint16, at, size, length int64) error {
	switch kind {
	case sparseRaw:
		if size != length {
			return tree.Bad(at, "%d bytes stand for %d", size, length)
		}
		_, err := io.Copy(w, io.NewSectionReader(o.Data, at, size))
		return err
	case sparseFill, sparseSkip:
		pattern := make([]byte, 4)
		if kind == sparseFill {
			b, err := o.Read(at, 4)
			if err != nil {
				return err
			}
			pattern = b
		}
		page := bytes.Repeat(pattern, 1<<14)
		for length > 0 {
			n := min(length, int64(len(page)))
			if _, err := w.Write(page[:n]); err != nil {
				return err
			}
			length -= n
		}
		return nil
	case sparseCRC:
		return nil
	}
	return tree.Bad(at, "a chunk of kind %#x", kind)
}

// bootImage is Android's boot image (system/tools/mkbootimg/include/bootimg/bootimg.h), headers 0 to 4.
var bootImage = tree.Format{ID: "android-boot", Title: "Android boot image", Magic: []tree.Magic{{At: 0, Bytes: "ANDROID!"}}, Search: true, Open: openBoot}

// AndroidBoot is the header of an Android boot image.
type AndroidBoot struct {
	Version int
	Name    string
	Command string // line of the kernel
}

func openBoot(o *tree.Opening) error {
	head, err := o.Read(0, 1660)
	if err != nil {
		return tree.ErrNot
	}
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint32(head[at:])) }
	text := func(from, size int) string {
		b, _, _ := bytes.Cut(head[from:from+size], []byte{0})
		return strings.ToValidUTF8(string(b), "?")
	}
	type part struct {
		name string
		size int64
	}
	var (
		a     = &AndroidBoot{Version: int(word(40))}
		page  int64
		parts []part
	)
	switch {
	case a.Version <= 2:
		page = word(36)
		a.Name, a.Command = text(48, 16), text(64, 512)+text(608, 1024)
		parts = []part{{"kernel", word(8)}, {"ramdisk", word(16)}, {"second", word(24)}}
		if a.Version >= 1 {
			parts = append(parts, part{"recovery dtbo", word(1632)})
		}
		if a.Version == 2 {
			parts = append(parts, part{"dtb", word(1648)})
		}
	case a.Version <= 4:
		page = 4096
		a.Command = text(44, 1536)
		parts = []part{{"kernel", word(8)}, {"ramdisk", word(12)}}
		if a.Version == 4 {
			parts = append(parts, part{"signature", word(1580)})
		}
	default:
		return tree.ErrNot
	}
	if page < 2048 || page > 1<<16 || page&(page-1) != 0 || parts[0].size == 0 && parts[1].size == 0 {
		return tree.ErrNot
	}
	at := page
	o.Info(a)
	o.Describe("header %d, pages of %d bytes%s", a.Version, page, quotedAs(", command line ", a.Command))
	for _, p := range parts {
		if p.size == 0 {
			continue
		}
		if p.size > o.Size()-at {
			return tree.Bad(at, "the %s is said to be %d bytes long, and %d are there", p.name, p.size, o.Size()-at)
		}
		if _, err := o.Part(p.name, at, p.size); err != nil {
			return err
		}
		at += (p.size + page - 1) / page * page
	}
	o.Ends(at)
	return nil
}

func quotedAs(label, s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("%s%q", label, s)
}
