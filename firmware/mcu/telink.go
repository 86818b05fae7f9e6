package mcu

import (
	"hash/crc32"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// telink is firmware for Telink's TLSR chips as their Zigbee SDK builds it (tl_zigbee_sdk, cstartup_*.S and ota.h): the reset vector, then
// what updates look at, and a CRC-32 at the end. Nothing in it is signed.
var telink = tree.Format{ID: "telink", Title: "Telink firmware", Magic: []tree.Magic{{At: 8, Bytes: "KNLT"}}, Search: true, Open: openTelink}

// Telink is its header.
type Telink struct {
	FileVersion  uint32
	Manufacturer uint16
	ImageType    uint16
	Intact       bool // it fits its checksum
}

func openTelink(o *tree.Opening) error {
	const head = 32
	b, err := o.Read(0, head)
	if err != nil || le16(b[6:]) != 0x025D {
		return tree.ErrNot
	}
	size := int64(le32(b[24:]))
	if size < head+4 || size > o.Size() || size > 4<<20 {
		return tree.ErrNot
	}
	h := crc32.NewIEEE()
	if err := feed(o, h, 0, size-4); err != nil {
		return err
	}
	sum, err := o.Read(size-4, 4)
	if err != nil {
		return err
	}
	t := &Telink{le32(b[2:]), le16(b[18:]), le16(b[20:]), le32(sum) == h.Sum32() || le32(sum) == ^h.Sum32()}
	if !t.Intact && size != o.Size() {
		return tree.ErrNot
	}
	if !t.Intact {
		o.Note(size-4, "its bytes do not fit their checksum")
	}
	o.Info(t)
	o.Ends(size)
	o.Describe("manufacturer %#04x, image type %#04x, version %#08x, not signed", t.Manufacturer, t.ImageType, t.FileVersion)
	_, err = o.Part("code", head, size-head-4)
	return err
}
