package mcu

import (
	"fmt"
	"hash/crc32"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// dfu is a file for USB Device Firmware Upgrade (USB DFU 1.1, appendix B): anything, and a suffix of 16 bytes.
var dfu = tree.Format{ID: "dfu", Title: "USB DFU file", Open: openDFU}

// dfuse is ST's extension of it (UM0391): targets with stretches for addresses, and the same suffix.
var dfuse = tree.Format{ID: "dfuse", Title: "DfuSe file", Magic: []tree.Magic{{At: 0, Bytes: "DfuSe\x01"}}, Open: openDfuSe}

// DFU is the suffix.
type DFU struct {
	Vendor, Product, Device uint16 // of USB; 0xFFFF: any
	Intact                  bool   // the file fits its CRC-32
}

const dfuSuffix = 16

// suffix reads the suffix, which ends the data.
func suffix(o *tree.Opening) (*DFU, int64, error) {
	at := o.Size() - dfuSuffix
	b, err := o.Read(max(at, 0), dfuSuffix)
	if err != nil || string(b[8:11]) != "UFD" || b[11] < dfuSuffix || int64(b[11]) > o.Size() {
		return nil, 0, tree.ErrNot
	}
	h := crc32.NewIEEE()
	if err := feed(o, h, 0, o.Size()-4); err != nil {
		return nil, 0, err
	}
	d := &DFU{le16(b[4:]), le16(b[2:]), le16(b), le32(b[12:]) == ^h.Sum32()}
	if !d.Intact {
		if d.Intact, err = behindPrefix(o, le32(b[12:])); err != nil {
			return nil, 0, err
		}
	}
	if !d.Intact {
		if v := le16(b[6:]); v != 0x0100 && v != 0x011A && v != 0x0110 {
			return nil, 0, tree.ErrNot
		}
		o.Note(o.Size()-4, "it does not fit its checksum")
	}
	o.Info(d)
	o.Describe("for USB %04x:%04x, not signed", d.Vendor, d.Product)
	return d, o.Size() - int64(b[11]), nil
}

// behindPrefix reports whether the checksum fits what follows the 16 bytes that the loader of NXP's LPC chips wants in front (dfu-prefix of
// dfu-util), as in files to which those were added last.
func behindPrefix(o *tree.Opening, sum uint32) (bool, error) {
	const size = 16
	if b, err := o.Read(0, 2); err != nil || string(b) != "\xDA\xFF" || o.Size() < size+dfuSuffix {
		return false, nil
	}
	h := crc32.NewIEEE()
	err := feed(o, h, size, o.Size()-size-4)
	return sum == ^h.Sum32(), err
}

func openDFU(o *tree.Opening) error {
	_, size, err := suffix(o)
	if err != nil {
		return err
	}
	_, err = o.Part("firmware", 0, size)
	return err
}

func openDfuSe(o *tree.Opening) error {
	const (
		prefix = 11
		target = 274
	)
	b, err := o.Read(0, prefix)
	if err != nil {
		return tree.ErrNot
	}
	end := int64(le32(b[6:]))
	if _, size, err := suffix(o); err == nil {
		end = min(end, size)
	} else {
		o.Note(-1, "it has no suffix")
	}
	at := int64(prefix)
	for n := range int(b[10]) {
		t, err := o.Read(at, target)
		if err != nil || string(t[:6]) != "Target" {
			return tree.Bad(at, "target %d of %d is not there", n+1, b[10])
		}
		at += target
		stop := min(at+int64(le32(t[266:])), end)
		for range le32(t[270:]) {
			e, err := o.Read(at, 8)
			if err != nil || at+8 > stop {
				return tree.Bad(at, "an element of target %d is not there", n+1)
			}
			size := int64(le32(e[4:]))
			if size > stop-at-8 {
				return tree.Bad(at, "an element is said to be %d bytes long, and %d are there", size, stop-at-8)
			}
			if _, err := o.Part(fmt.Sprintf("setting %d, memory from %#x", t[6], le32(e)), at+8, size); err != nil {
				return err
			}
			at += 8 + size
		}
	}
	return nil
}
