// Package mcu reads what microcontrollers are programmed with: images, dumps of flash, and the containers in which both are shipped.
package mcu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Formats are those of this package.
var Formats = []tree.Format{
	espFlash, espImage, espOld, espTable, espNVS, intelHex, srec, uf2, mcuboot, gbl, telink, dfuse,
	espOTAData, nordicInit, dfu, // these have no magic
}

var (
	le16 = binary.LittleEndian.Uint16
	le32 = binary.LittleEndian.Uint32
)

// text is what stands before the first zero byte.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(bytes.ToValidUTF8(b, []byte("?")))
}

// filled reports whether all bytes are c.
func filled(b []byte, c byte) bool {
	for _, x := range b {
		if x != c {
			return false
		}
	}
	return true
}

func named[N ~byte | ~uint16 | ~uint32](names map[N]string, n N) string {
	if s, ok := names[n]; ok {
		return s
	}
	return fmt.Sprintf("number %#x", n)
}

// feed writes a stretch of the data to w, as a hash.
func feed(o *tree.Opening, w io.Writer, at, size int64) error {
	if err := o.Context().Err(); err != nil {
		return err
	}
	_, err := io.Copy(w, io.NewSectionReader(o.Data, at, size))
	return err
}
