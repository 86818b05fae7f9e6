package ota

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // what images are hashed with
	_ "crypto/sha3"
	_ "crypto/sha512"
	"fmt"
	"io"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// matter is a Matter OTA image (Matter Core Specification, "OTA Software Image File Format"; OTAImageHeader.h): a header in Matter's TLV,
// and the payload, of which the header has a digest. What signs the payload is the maker's matter.
var matter = tree.Format{ID: "matter-ota", Title: "Matter OTA image", Magic: []tree.Magic{{At: 0, Bytes: "\x1E\xF1\xEE\x1B"}}, Search: true, Open: openMatter}

// Matter is the header.
type Matter struct {
	Vendor, Product    uint64
	Version            uint64
	VersionText        string
	Size               uint64 // of the payload
	Minimum, Maximum   uint64 // versions that can be upgraded; 0: not told
	ReleaseNotes       string
	DigestKind         uint64
	Digest             []byte
	Checked, DigestFit bool // the digest could be compared, and fits
}

// matterDigests are the digests, and to how many bytes they are cut.
var matterDigests = map[uint64]struct {
	hash crypto.Hash
	size int
}{
	1: {crypto.SHA256, 32}, 2: {crypto.SHA256, 16}, 3: {crypto.SHA256, 15}, 4: {crypto.SHA256, 12}, 5: {crypto.SHA256, 8}, 6: {crypto.SHA256, 4}, 7: {crypto.SHA384, 48},
	8: {crypto.SHA512, 64}, 9: {crypto.SHA3_224, 28}, 10: {crypto.SHA3_256, 32}, 11: {crypto.SHA3_384, 48}, 12: {crypto.SHA3_512, 64},
}

func openMatter(o *tree.Opening) error {
	const (
		fixed = 16
		most  = 4096 // bytes of a header; the reference implementation takes 1024
	)
	b, err := o.Read(0, fixed)
	if err != nil {
		return tree.ErrNot
	}
	total, size := le64(b[4:]), int64(le32(b[12:]))
	if size > most || total < uint64(fixed+size) || total > 1<<40 {
		return tree.ErrNot
	}
	head, err := o.Read(fixed, int(size))
	if err != nil {
		return tree.ErrNot
	}
	m := &Matter{}
	if !m.read(head) {
		return tree.ErrNot
	}
	o.Info(m)
	o.Describe("vendor %#04x, product %#04x, version %d %q", m.Vendor, m.Product, m.Version, m.VersionText)
	at := fixed + size
	length := int64(total) - at
	if length > o.Size()-at {
		o.Note(4, "it is said to be %d bytes long, and %d are there", total, o.Size())
		length = o.Size() - at
	} else if d, ok := matterDigests[m.DigestKind]; ok && len(m.Digest) == d.size {
		h := d.hash.New()
		if _, err := io.Copy(h, io.NewSectionReader(o.Data, at, length)); err != nil {
			return err
		}
		m.Checked, m.DigestFit = true, bytes.Equal(h.Sum(nil)[:d.size], m.Digest)
		if !m.DigestFit {
			o.Note(at, "the payload does not fit its digest")
		}
	}
	o.Ends(at + length)
	_, err = o.Part("payload", at, length)
	return err
}

// read takes the header: a structure of fields with context tags.
func (m *Matter) read(b []byte) bool {
	const (
		structure = 0x15
		end       = 0x18
		context   = 0x20
	)
	if len(b) == 0 || b[0] != structure {
		return false
	}
	b = b[1:]
	seen := map[byte]bool{}
	for len(b) >= 2 && b[0] != end {
		control, tag := b[0], b[1]
		if control&0xE0 != context {
			return false
		}
		b = b[2:]
		kind := control & 0x1F
		var number uint64
		var value []byte
		wide := 1 << (kind & 3) // bytes of the number or of the length
		if len(b) < wide {
			return false
		}
		for i := range wide {
			number |= uint64(b[i]) << (8 * i)
		}
		b = b[wide:]
		switch kind &^ 3 {
		case 0x04: // unsigned
		case 0x0C, 0x10: // text, bytes
			if number > uint64(len(b)) {
				return false
			}
			value, b = b[:number], b[number:]
		default:
			return false
		}
		seen[tag] = true
		m.field(tag, number, value)
	}
	return len(b) > 0 && seen[0] && seen[1] && seen[2] && seen[4] && seen[8]
}

func (m *Matter) field(tag byte, number uint64, value []byte) {
	text := string(bytes.ToValidUTF8(value, []byte("?")))
	switch tag {
	case 0:
		m.Vendor = number
	case 1:
		m.Product = number
	case 2:
		m.Version = number
	case 3:
		m.VersionText = text
	case 4:
		m.Size = number
	case 5:
		m.Minimum = number
	case 6:
		m.Maximum = number
	case 7:
		m.ReleaseNotes = text
	case 8:
		m.DigestKind = number
	case 9:
		m.Digest = value
	}
}

// String names what it is for.
func (m *Matter) String() string {
	return fmt.Sprintf("vendor %#04x, product %#04x, version %d", m.Vendor, m.Product, m.Version)
}
