// Package flash reads the file systems of flash chips, and small ones that are only read.
package flash

import (
	"bytes"
	"hash/crc32"
	"io"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Formats are those of this package.
var Formats = []tree.Format{jffs2, ubi, ubifs, cramfs, romfs, littlefs}

// rawCRC is CRC-32 as the kernel's crc32(seed, …): the seed is not inverted before nor after.
func rawCRC(seed uint32, b []byte) uint32 { return ^crc32.Update(^seed, crc32.IEEETable, b) }

// unpacked bounds how much is unpacked for a file system in all: what many files or fragments share is unpacked again and again.
type unpacked struct{ left int64 }

func newUnpacked(size int64) *unpacked { return &unpacked{64*size + 64<<20} }

func (u *unpacked) take(n int) error {
	if u.left -= int64(n); u.left < 0 {
		return tree.Bad(-1, "it unpacks to more than 64 times its size")
	}
	return nil
}

// text is what stands before the first zero.
func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// written is what write writes.
func written(write func(io.Writer) error) (string, error) {
	var b strings.Builder
	err := write(&b)
	return b.String(), err
}
