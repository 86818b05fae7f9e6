package mcu

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// mcuboot is an image for MCUboot (docs/design.md, "Image format"; boot/bootutil/include/bootutil/image.h): a header, the code, and two
// lists of what belongs to it, of which the first is signed with the code.
var mcuboot = tree.Format{ID: "mcuboot", Title: "MCUboot image", Magic: []tree.Magic{{At: 0, Bytes: "\x3D\xB8\xF3\x96"}}, Search: true, Open: openMCUboot}

// MCUboot is the header of an image, and what its lists say.
type MCUboot struct {
	Version    string // "1.2.3+4"
	Load       uint32
	Encrypted  bool
	Compressed bool
	Hash       string // SHA-256, SHA-384 or SHA-512; empty: there is none
	Checked    bool   // the hash could be compared: it is over what is there before it is encrypted
	HashFits   bool
	Signatures []string // how it is signed: "ECDSA"; none: it is not
	KeyHash    string   // of the public key that signs, as imgtool writes it, in hex; newt writes only its first 4 bytes; empty: not told
	PublicKey  []byte   // in DER, where the image carries it; nil: it does not
	Counted    bool     // it has a security counter
	Counter    uint32
	Depends    int // on how many other images
}

const (
	mcubootHead      = 32
	mcubootList      = 0x6907
	mcubootProtected = 0x6908
)

// Flags and types of entries.
const (
	mcubootAES128     = 0x4
	mcubootAES256     = 0x8
	mcubootSplit      = 0x10 // another image starts it, whose hash goes into its own
	mcubootCompressed = 0x200 | 0x400

	tlvKeyHash = 0x01
	tlvKey     = 0x02
	tlvSHA256  = 0x10
	tlvSHA384  = 0x11
	tlvSHA512  = 0x12
	tlvDepends = 0x40
	tlvCounter = 0x50
	tlvSecret  = 0xA2 // of Apache Mynewt: which of the chip's own secrets it is encrypted with
)

var mcubootSignatures = map[uint16]string{0x20: "RSA 2048", 0x21: "ECDSA P-224", 0x22: "ECDSA", 0x23: "RSA 3072", 0x24: "Ed25519"}

// tlv is an entry of a list.
type tlv struct {
	kind      uint16
	value     []byte
	protected bool
}

func openMCUboot(o *tree.Opening) error {
	b, err := o.Read(0, mcubootHead)
	if err != nil {
		return tree.ErrNot
	}
	head, protected, size, flags := int64(le16(b[8:])), int64(le16(b[10:])), int64(le32(b[12:])), le32(b[16:])
	if head < mcubootHead || head+size > o.Size() {
		return tree.ErrNot
	}
	body := head + size
	list, end, err := mcubootLists(o, body, protected)
	if err != nil {
		return err
	}
	m := &MCUboot{
		Version: fmt.Sprintf("%d.%d.%d+%d", b[20], b[21], le16(b[22:]), le32(b[24:])), Load: le32(b[4:]),
		Encrypted: flags&(mcubootAES128|mcubootAES256) != 0, Compressed: flags&mcubootCompressed != 0,
	}
	sums := map[uint16]struct {
		name string
		make func() hash.Hash
	}{tlvSHA256: {"SHA-256", sha256.New}, tlvSHA384: {"SHA-384", sha512.New384}, tlvSHA512: {"SHA-512", sha512.New}}
	for _, e := range list {
		if how, ok := mcubootSignatures[e.kind]; ok && len(e.value) > 0 {
			m.Signatures = append(m.Signatures, how)
		}
		switch {
		case e.kind == tlvKeyHash:
			m.KeyHash = hex.EncodeToString(e.value)
		case e.kind == tlvKey:
			m.PublicKey = e.value
		case e.kind == tlvSecret && e.protected:
			m.Encrypted = true
		case e.kind == tlvDepends:
			m.Depends++
		case e.kind == tlvCounter && e.protected && len(e.value) == 4:
			m.Counted, m.Counter = true, le32(e.value)
		}
		sum, ok := sums[e.kind]
		if !ok || m.Hash != "" {
			continue
		}
		m.Hash = sum.name
		if m.Encrypted { // the list that is protected comes first
			continue
		}
		h := sum.make()
		if err := feed(o, h, 0, body+protected); err != nil {
			return err
		}
		m.HashFits = bytes.Equal(h.Sum(nil), e.value)
		m.Checked = m.HashFits || flags&mcubootSplit == 0
		if m.Checked && !m.HashFits {
			o.Note(0, "its bytes do not fit their hash")
		}
	}
	o.Info(m)
	o.Ends(end)
	o.Describe("%s", m)
	name := "code"
	if m.Encrypted {
		name = "encrypted code"
	}
	_, err = o.Part(name, head, size)
	return err
}

// String says what it is, in one line.
func (m *MCUboot) String() string {
	s := "version " + m.Version
	if m.Encrypted {
		s += ", encrypted"
	}
	if len(m.Signatures) == 0 {
		return s + ", not signed"
	}
	for _, how := range m.Signatures {
		s += ", signed: " + how
	}
	return s
}

// mcubootLists reads the lists behind the code, and tells where they end.
func mcubootLists(o *tree.Opening, at, protected int64) (all []tlv, end int64, err error) {
	for _, magic := range []uint16{mcubootProtected, mcubootList} {
		b, err := o.Read(at, 4)
		if err != nil || le16(b) != magic {
			if magic == mcubootProtected && protected == 0 {
				continue
			}
			return nil, 0, tree.ErrNot
		}
		total := int64(le16(b[2:]))
		if total < 4 || magic == mcubootProtected && total != protected {
			return nil, 0, tree.ErrNot
		}
		list, err := o.Read(at+4, int(total-4))
		if err != nil {
			return nil, 0, tree.ErrNot
		}
		for len(list) > 0 {
			if len(list) < 4 || int(le16(list[2:])) > len(list)-4 {
				return nil, 0, tree.ErrNot
			}
			n := int(le16(list[2:]))
			all = append(all, tlv{le16(list), list[4 : 4+n], magic == mcubootProtected})
			list = list[4+n:]
		}
		at += total
	}
	return all, at, nil
}

// mcubootSamples are the keys that lie in MCUboot's own repository with their private halves: root-*.pem. By the SHA-256 of the public key
// as imgtool writes it into an image: in DER, of RSA as in PKCS #1, of the others as SubjectPublicKeyInfo.
var mcubootSamples = map[string]string{
	"fc5701dc6135e1323847bdc40f04d2e5bee5833b23c29f93593d00018cfa9994":                                 "root-rsa-2048.pem",
	"449793fb65cd7698753d5b3f35fab15f1e3a45111ff24e1d46741de5ae12d59e":                                 "root-rsa-3072.pem",
	"e30466f6b8470c1f29070b17f1e2d3e94d445e3f608087fdc711e4382bb538b6":                                 "root-ec-p256.pem",
	"6bcd1e16d80e5fe13a5307e6f1de8344c7e50e537d9962ce35ef6db5e642fae8":                                 "root-ec-p384.pem",
	"85b7bd5f5dff9a03a99927adaf6ca6febde822c1a480928324a8e60323715c5779461c496a95aee8c4f90b99779f848a": "root-ec-p384.pem",
	"c1907fa4eac7fae3840a78902b6f0710b037e9968e5c6274a12a28790c7d4e3c":                                 "root-ed25519.pem",
	"6754edab1e29affef4a05935adecbeb1a7b8b62397b31e39a61b5bfcaafd63af":                                 "root-ed25519-2.pem",
}

// Sample is the file of MCUboot's repository that holds the private half of the key; empty: it is none of those.
func (m *MCUboot) Sample() string {
	if len(m.KeyHash) >= 8 { // as MCUboot compares: as much as there is
		for hash, file := range mcubootSamples {
			if strings.HasPrefix(hash, m.KeyHash) {
				return file
			}
		}
	}
	if m.PublicKey != nil {
		return mcubootSamples[hexSum(m.PublicKey)]
	}
	return ""
}
