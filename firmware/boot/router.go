package boot

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// trx is the image of Broadcom routers (OpenWrt: tools/firmware-utils/src/trx.c): a header, little-endian, and three or four parts.
var trx = tree.Format{ID: "trx", Title: "TRX image", Magic: []tree.Magic{{At: 0, Bytes: "HDR0"}}, Search: true, Open: openTRX}

func openTRX(o *tree.Opening) error {
	head, err := o.Read(0, 32)
	if err != nil {
		return tree.ErrNot
	}
	size, version := int64(binary.LittleEndian.Uint32(head[4:])), binary.LittleEndian.Uint16(head[14:])
	if size < 28 || size > o.Size() || version != 1 && version != 2 {
		return tree.ErrNot
	}
	h := crc32.NewIEEE()
	if _, err := io.Copy(h, io.NewSectionReader(o.Data, 12, size-12)); err != nil {
		return err
	}
	intact := ^h.Sum32() == binary.LittleEndian.Uint32(head[8:])
	if !intact {
		o.Note(8, "its data do not fit their checksum")
	}
	var starts []int64
	for i := range 2 + int(version) {
		if at := int64(binary.LittleEndian.Uint32(head[16+4*i:])); at >= 28 && at < size {
			starts = append(starts, at)
		} else if at != 0 {
			return tree.ErrNot
		}
	}
	if len(starts) == 0 || !slices.IsSorted(starts) {
		return tree.ErrNot
	}
	o.Ends(size)
	o.Describe("version %d, %d parts", version, len(starts))
	for i, at := range starts {
		end := size
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if _, err := o.Part(fmt.Sprintf("part %d", i), at, end-at); err != nil {
			return err
		}
	}
	return nil
}

// chk is the image of Netgear routers (OpenWrt: tools/firmware-utils/src/mkchkimg.c): a header, big-endian, a kernel and a root file system.
var chk = tree.Format{ID: "chk", Title: "Netgear CHK image", Magic: []tree.Magic{{At: 0, Bytes: "*#$^"}}, Search: true, Open: openCHK}

func openCHK(o *tree.Opening) error {
	const fixed = 40
	head, err := o.Read(0, fixed)
	if err != nil {
		return tree.ErrNot
	}
	word := func(at int) int64 { return int64(binary.BigEndian.Uint32(head[at:])) }
	length := word(4)
	if length < fixed || length > fixed+64 {
		return tree.ErrNot
	}
	whole, err := o.Read(0, int(length))
	if err != nil {
		return tree.ErrNot
	}
	zeroed := slices.Clone(whole)
	clear(zeroed[36:40])
	if netgearSum(zeroed) != uint32(word(36)) {
		return tree.ErrNot
	}
	kernel, rootfs := word(24), word(28)
	o.Describe("for board %q", strings.ToValidUTF8(string(whole[fixed:]), "?"))
	o.Ends(length + kernel + rootfs)
	if _, err := o.Part("kernel", length, kernel); err != nil {
		return err
	}
	if rootfs > 0 {
		_, err = o.Part("rootfs", length+kernel, rootfs)
	}
	return err
}

// netgearSum is the checksum of mkchkimg.c.
func netgearSum(b []byte) uint32 {
	var low, high uint32
	for _, c := range b {
		low += uint32(c)
		high += low
	}
	fold := func(n uint32) uint32 {
		n = n&0xffff + n>>16
		return (n>>16 + n) & 0xffff
	}
	return fold(high)<<16 | fold(low)
}
