package boot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// uImage is U-Boot's legacy image (include/image.h, struct image_header): 64 bytes, big-endian, and the data.
var uImage = tree.Format{ID: "uimage", Title: "U-Boot legacy image", Magic: []tree.Magic{{At: 0, Bytes: "\x27\x05\x19\x56"}}, Search: true, Open: openUImage}

const uImageHead = 64

// UImage is the header of a U-Boot legacy image.
type UImage struct {
	Made        time.Time
	Load, Entry uint32
	OS, Arch    string
	Type        string
	Compression string
	Name        string
	Intact      bool // the data fit their checksum
}

var (
	uImageOS          = map[byte]string{1: "OpenBSD", 2: "NetBSD", 5: "Linux", 14: "VxWorks", 17: "U-Boot", 21: "OSE", 25: "OpenSBI"}
	uImageArch        = map[byte]string{2: "Arm", 3: "x86", 5: "MIPS", 6: "MIPS64", 7: "PowerPC", 22: "AArch64", 24: "x86-64", 25: "Xtensa", 26: "RISC-V"}
	uImageType        = map[byte]string{1: "standalone", 2: "kernel", 3: "ramdisk", 4: "multi-file", 5: "firmware", 6: "script", 7: "file system", 8: "device tree"}
	uImageCompression = map[byte]string{0: "uncompressed", 1: "gzip", 2: "bzip2", 3: "lzma", 4: "lzo", 5: "lz4", 6: "zstd"}
)

const uImageMulti = 4

func openUImage(o *tree.Opening) error {
	head, err := o.Read(0, uImageHead)
	if err != nil {
		return tree.ErrNot
	}
	sum := binary.BigEndian.Uint32(head[4:])
	if crc32.ChecksumIEEE(append(append(append([]byte{}, head[:4]...), 0, 0, 0, 0), head[8:]...)) != sum {
		return tree.ErrNot
	}
	word := func(at int) uint32 { return binary.BigEndian.Uint32(head[at:]) }
	size := int64(word(12))
	name, _, _ := bytes.Cut(head[32:64], []byte{0})
	u := UImage{
		Made: time.Unix(int64(word(8)), 0).UTC(), Load: word(16), Entry: word(20), Name: string(bytes.ToValidUTF8(name, []byte("?"))),
		OS: named(uImageOS, head[28]), Arch: named(uImageArch, head[29]), Type: named(uImageType, head[30]), Compression: named(uImageCompression, head[31]),
	}
	if size > o.Size()-uImageHead {
		o.Note(12, "its data are said to be %d bytes long, and %d are there", size, o.Size()-uImageHead)
		size = o.Size() - uImageHead
	} else {
		h := crc32.NewIEEE()
		if _, err := io.Copy(h, io.NewSectionReader(o.Data, uImageHead, size)); err != nil {
			return err
		}
		u.Intact = h.Sum32() == word(24)
		if !u.Intact {
			o.Note(24, "its data do not fit their checksum")
		}
	}
	o.Describe("%s for %s, %s, %s, %q, %s", u.OS, u.Arch, u.Type, u.Compression, u.Name, u.Made.Format(time.DateOnly))
	o.Info(&u)
	o.Ends(uImageHead + size)
	if head[30] == uImageMulti {
		return openMulti(o, size)
	}
	_, err = o.Part(u.Type, uImageHead, size)
	return err
}

// openMulti reads the parts of a multi-file image: their sizes until one of zero, and then each, from one word to the next.
func openMulti(o *tree.Opening, size int64) error {
	end := uImageHead + size
	at := int64(uImageHead)
	var sizes []int64
	for {
		b, err := o.Read(at, 4)
		if err != nil {
			return err
		}
		at += 4
		n := int64(binary.BigEndian.Uint32(b))
		if n == 0 {
			break
		}
		if len(sizes) == 64 || at > end {
			return tree.Bad(at, "the list of its parts does not end")
		}
		sizes = append(sizes, n)
	}
	for i, n := range sizes {
		if _, err := o.Part(fmt.Sprintf("part %d", i), at, min(n, max(0, end-at))); err != nil {
			return err
		}
		at += (n + 3) &^ 3
	}
	return nil
}

func named(names map[byte]string, n byte) string {
	if s, ok := names[n]; ok {
		return s
	}
	return fmt.Sprintf("number %d", n)
}
