package ota

import (
	"bytes"
	"fmt"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// zigbee is an upgrade file of the Zigbee Cluster Library (ZCL, chapter 11.4 "OTA file format"): a header, and elements of tag, size and
// value.
var zigbee = tree.Format{ID: "zigbee-ota", Title: "Zigbee OTA file", Magic: []tree.Magic{{At: 0, Bytes: "\x1E\xF1\xEE\x0B"}}, Search: true, Open: openZigbee}

// Zigbee is the header.
type Zigbee struct {
	Manufacturer uint16
	ImageType    uint16
	FileVersion  uint32
	StackVersion uint16
	Text         string
	Destination  []byte // of a file for one device, its address; nil: for all
	HardwareMin  uint16 // these are 0 when they are not told
	HardwareMax  uint16
	Elements     []uint16 // their tags, in order
	Signed       bool     // it has the signature element of the standard
	Integrity    bool     // it has an integrity code, which anybody can make
}

// Tags of elements.
const (
	zigbeeImage       = 0x0000
	zigbeeSignature   = 0x0001
	zigbeeCertificate = 0x0002
	zigbeeIntegrity   = 0x0003
)

var zigbeeTags = map[uint16]string{
	zigbeeImage: "upgrade image", zigbeeSignature: "signature", zigbeeCertificate: "certificate", zigbeeIntegrity: "integrity code", 0x0004: "picture data",
	0x0005: "signature (curve 2)", 0x0006: "certificate (curve 2)",
}

func openZigbee(o *tree.Opening) error {
	const fixed = 56
	b, err := o.Read(0, fixed)
	if err != nil {
		return tree.ErrNot
	}
	head, control, size := int(le16(b[6:])), le16(b[8:]), int64(le32(b[52:]))
	if le16(b[4:]) != 0x0100 || head < fixed || head > 256 || control > 7 || size < int64(head) {
		return tree.ErrNot
	}
	text, _, _ := bytes.Cut(b[20:52], []byte{0})
	z := &Zigbee{
		Manufacturer: le16(b[10:]), ImageType: le16(b[12:]), FileVersion: le32(b[14:]), StackVersion: le16(b[18:]),
		Text: string(bytes.ToValidUTF8(text, []byte("?"))),
	}
	if b, err = o.Read(0, head); err != nil {
		return tree.ErrNot
	}
	z.options(b[fixed:], control)
	o.Info(z)
	o.Describe("manufacturer %#04x, image type %#04x, version %#08x, %q", z.Manufacturer, z.ImageType, z.FileVersion, z.Text)
	if size > o.Size() {
		o.Note(52, "it is said to be %d bytes long, and %d are there", size, o.Size())
		size = o.Size()
	}
	o.Ends(size)
	return z.elements(o, int64(head), size)
}

// elements reads those between two offsets. What is none is told of as it lies.
func (z *Zigbee) elements(o *tree.Opening, at, size int64) error {
	const signify = 0x100B
	rest := func(why string, args ...any) error {
		if why != "" {
			o.Note(at, why, args...)
		}
		_, err := o.Part("data without elements", at, size-at)
		return err
	}
	for at < size {
		e, err := o.Read(at, 6)
		if err != nil || size-at < 6 {
			return rest("an element is cut off")
		}
		if len(z.Elements) == 0 && z.Manufacturer == signify && string(e[:3]) == "*\x00\x01" {
			return rest("") // an update of a boot loader, in a format of the maker's own
		}
		tag, n := le16(e), int64(le32(e[2:]))
		if n > size-at-6 {
			return rest("an element is said to be %d bytes long, and %d are left", n, size-at-6)
		}
		z.Elements = append(z.Elements, tag)
		z.Signed = z.Signed || tag == zigbeeSignature || tag == 5
		z.Integrity = z.Integrity || tag == zigbeeIntegrity
		if len(z.Elements) > 1000 {
			return tree.Bad(at, "it has more than 1000 elements")
		}
		name, known := zigbeeTags[tag]
		if !known {
			name = fmt.Sprintf("element %#04x", tag)
		}
		if _, err := o.Part(name, at+6, n); err != nil {
			return err
		}
		at += 6 + n
	}
	return nil
}

// options reads what the header may have more.
func (z *Zigbee) options(b []byte, control uint16) {
	const credential, device, hardware = 1, 2, 4
	take := func(n int) []byte {
		if len(b) < n {
			b = nil
			return make([]byte, n)
		}
		part := b[:n]
		b = b[n:]
		return part
	}
	if control&credential != 0 {
		take(1)
	}
	if control&device != 0 {
		z.Destination = take(8)
	}
	if control&hardware != 0 {
		z.HardwareMin, z.HardwareMax = le16(take(2)), le16(take(2))
	}
}
