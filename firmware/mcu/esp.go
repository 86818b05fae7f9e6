package mcu

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// espImage is what the ESP32 family starts: a boot loader or an application (ESP-IDF, "App Image Format"; esp_app_format.h). Behind it lie
// its signatures, where it has any.
var espImage = tree.Format{ID: "esp-image", Title: "ESP32 image", Magic: espMagic(), Search: true, Open: openESP}

// ESPImage is the header of an image for the ESP32 family, with what stands behind it.
type ESPImage struct {
	Chip     string
	Entry    uint32
	Segments int
	Length   int64 // bytes, without signatures

	App           bool   // it has the descriptor of an application
	Project       string // these are of the descriptor
	Version       string
	IDF           string // version of ESP-IDF
	Built         string // date and time, as the compiler writes them
	SecureVersion uint32 // what the counter in the eFuses is compared with

	ChecksumFits bool // of the segments
	Hashed       bool // a SHA-256 is appended
	HashFits     bool

	Signatures []ESPSignature
}

// Intact reports whether checksum and hash fit.
func (i *ESPImage) Intact() bool { return i.ChecksumFits && (!i.Hashed || i.HashFits) }

const (
	espHead        = 24
	espMostParts   = 16
	espDescriptor  = 0xABCD5432 // magic of struct esp_app_desc_t, which begins the first segment
	espLoaderMagic = 80         // of struct esp_bootloader_desc_t
)

var espChips = map[uint16]string{
	0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6", 16: "ESP32-H2", 18: "ESP32-P4", 20: "ESP32-C61",
	23: "ESP32-C5", 25: "ESP32-H21", 28: "ESP32-H4", 31: "ESP32-E22", 32: "ESP32-S31",
}

// espMagic are the first two bytes: a fixed one and the number of segments.
func espMagic() (all []tree.Magic) {
	for n := range espMostParts {
		all = append(all, tree.Magic{At: 0, Bytes: string([]byte{0xE9, byte(n + 1)})})
	}
	return all
}

// espSegment is a segment with its place in the file.
type espSegment struct {
	load     uint32
	at, size int64
}

func openESP(o *tree.Opening) error {
	head, err := o.Read(0, espHead)
	if err != nil {
		return tree.ErrNot
	}
	chip, known := espChips[le16(head[12:])]
	if !known || !filled(head[19:23], 0) || head[23] > 1 {
		return tree.ErrNot
	}
	segments, end, sum, err := espSegments(o, espHead, int(head[1]))
	if err != nil {
		return err
	}
	i := ESPImage{Chip: chip, Entry: le32(head[4:]), Segments: len(segments), Hashed: head[23] == 1}
	i.describe(o, segments[0])
	at := end | 15 // the checksum is the last byte of a block of 16
	b, err := o.Read(at, 1)
	if err != nil {
		if !i.App {
			return tree.ErrNot
		}
		o.Note(at, "its checksum is cut off")
		o.Info(&i)
		return nil
	}
	i.ChecksumFits = b[0] == sum
	i.Length = at + 1
	if i.Hashed {
		if err := i.hash(o); err != nil {
			return err
		}
	}
	if !i.ChecksumFits && !i.HashFits && !i.App {
		return tree.ErrNot
	}
	if !i.Intact() {
		o.Note(0, "its data do not fit their checksum or hash")
	}
	signed, err := i.signatures(o)
	if err != nil {
		return err
	}
	o.Info(&i)
	o.Ends(max(i.Length, signed))
	o.Describe("%s", i.String())
	for _, s := range segments {
		if _, err := o.Part(fmt.Sprintf("segment for %#x", s.load), s.at, s.size); err != nil {
			return err
		}
	}
	return nil
}

// String says what it is, in one line.
func (i *ESPImage) String() string {
	s := i.Chip
	switch {
	case i.App:
		s += fmt.Sprintf(" application %q %s, IDF %s, %s", i.Project, i.Version, i.IDF, i.Built)
	case i.IDF != "":
		s += fmt.Sprintf(" boot loader, IDF %s, %s", i.IDF, i.Built)
	}
	if len(i.Signatures) == 0 {
		return s + ", not signed"
	}
	for _, sig := range i.Signatures {
		s += ", signed: " + sig.Scheme
	}
	return s
}

// espSegments walks the segments from an offset on. It tells where they end, and the sum over their bytes.
func espSegments(o *tree.Opening, at int64, n int) (all []espSegment, end int64, sum byte, err error) {
	if n < 1 || n > espMostParts {
		return nil, 0, 0, tree.ErrNot
	}
	sum = 0xEF // where the sum starts from
	for range n {
		b, err := o.Read(at, 8)
		if err != nil {
			return nil, 0, 0, tree.ErrNot
		}
		s := espSegment{le32(b), at + 8, int64(le32(b[4:]))}
		// All memories of the family lie between these, but for that of the ESP32-E22's clock; a segment for address 0 fills up.
		if s.load != 0 && (s.load < 0x20000000 || s.load >= 0x60100000) && s.load>>16 != 0xC000 || s.size > 16<<20 || s.size > o.Size()-s.at {
			return nil, 0, 0, tree.ErrNot
		}
		x := xor{sum}
		if err := feed(o, &x, s.at, s.size); err != nil {
			return nil, 0, 0, err
		}
		sum = x.sum
		all, at = append(all, s), s.at+s.size
	}
	return all, at, sum, nil
}

// xor sums bytes.
type xor struct{ sum byte }

func (x *xor) Write(b []byte) (int, error) {
	for _, c := range b {
		x.sum ^= c
	}
	return len(b), nil
}

// describe reads the descriptor with which the first segment begins.
func (i *ESPImage) describe(o *tree.Opening, first espSegment) {
	const size = 256 // of esp_app_desc_t; esp_bootloader_desc_t is shorter
	b, err := o.Read(first.at, int(min(size, first.size)))
	if err != nil || len(b) < 80 {
		return
	}
	switch {
	case le32(b) == espDescriptor && len(b) == size:
		i.App = true
		i.SecureVersion = le32(b[4:])
		i.Version, i.Project = text(b[16:48]), text(b[48:80])
		i.Built = text(b[96:112]) + " " + text(b[80:96])
		i.IDF = text(b[112:144])
	case b[0] == espLoaderMagic && b[8] == 'v':
		i.SecureVersion = uint32(b[3])
		i.IDF, i.Built = text(b[8:40]), text(b[40:64])
	}
}

// hash compares the appended SHA-256.
func (i *ESPImage) hash(o *tree.Opening) error {
	want, err := o.Read(i.Length, sha256.Size)
	if err != nil {
		o.Note(i.Length, "its hash is cut off")
		return nil
	}
	h := sha256.New()
	if err := feed(o, h, 0, i.Length); err != nil {
		return err
	}
	i.HashFits = bytes.Equal(h.Sum(nil), want)
	i.Length += sha256.Size
	return nil
}

func hexSum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
