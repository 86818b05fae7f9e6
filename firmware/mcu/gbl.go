package mcu

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"hash/crc32"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// gbl is the Gecko Bootloader file of Silicon Labs (UG489; btl_gbl_format.h): tagged stretches, the last with a CRC-32 of all.
var gbl = tree.Format{ID: "gbl", Title: "Gecko Bootloader file", Magic: []tree.Magic{{At: 0, Bytes: "\xEB\x17\xA6\x03\x08\x00\x00\x00"}}, Search: true, Open: openGBL}

// GBL is what such a file says of itself.
type GBL struct {
	Signed    bool // it has a signature, ECDSA P-256
	Encrypted bool // AES-CCM
	KeySPKI   []byte
	App       bool // it says which application it holds
	AppType   uint32
	Version   uint32
	ProductID string // in hex
	Loader    bool   // it holds a boot loader
	Intact    bool
}

// Tags.
const (
	gblHeader      = 0x03A617EB
	gblApplication = 0xF40A0AF4
	gblLoader      = 0xF50909F5
	gblSE          = 0x5EA617EB
	gblMetadata    = 0xF60808F6
	gblProgram     = 0xFE0101FE
	gblProgramLZ4  = 0xFD0505FD
	gblProgramLZMA = 0xFD0707FD
	gblErase       = 0xFD0303FD
	gblEncryptedAt = 0xF90707F9
	gblCertificate = 0xF30B0BF3
	gblSignature   = 0xF70A0AF7
	gblEnd         = 0xFC0404FC
)

func openGBL(o *tree.Opening) error {
	g := &GBL{}
	at := int64(0)
	ended := false
	for n := 0; !ended; n++ {
		b, err := o.Read(at, 8)
		if err != nil || n > 10_000 {
			break
		}
		tag, size := le32(b), int64(le32(b[4:]))
		if size > o.Size()-at-8 {
			break
		}
		if err := g.tag(o, tag, at+8, size); err != nil {
			return err
		}
		at += 8 + size
		if ended = tag == gblEnd; ended {
			h := crc32.NewIEEE()
			if err := feed(o, h, 0, at-size); err != nil {
				return err
			}
			sum, err := o.Read(at-size, 4)
			g.Intact = err == nil && h.Sum32() == le32(sum)
		}
	}
	if !ended && at == 16 {
		return tree.ErrNot // but for the header nothing is as it ought to be
	}
	if !g.Intact {
		o.Note(-1, "it does not fit its checksum")
	}
	o.Info(g)
	o.Ends(at)
	s := "not signed"
	if g.Signed {
		s = "signed: ECDSA P-256"
	}
	if g.Encrypted {
		s += ", encrypted"
	}
	if g.App {
		s += fmt.Sprintf(", application %#x", g.Version)
	}
	o.Describe("%s", s)
	return nil
}

// tag takes what lies behind a tag.
func (g *GBL) tag(o *tree.Opening, tag uint32, at, size int64) error {
	part := func(name string, skip int64) error {
		if size < skip {
			return nil
		}
		_, err := o.Part(name, at+skip, size-skip)
		return err
	}
	word := func(i int64) uint32 {
		b, err := o.Read(at+i, 4)
		if err != nil || i+4 > size {
			return 0
		}
		return le32(b)
	}
	switch tag {
	case gblHeader:
		const encrypted, signed = 0x1, 0x100
		g.Encrypted = word(4)&encrypted != 0
	case gblApplication:
		if b, err := o.Read(at, int(min(size, 28))); err == nil && len(b) == 28 {
			g.App, g.AppType, g.Version, g.ProductID = true, le32(b), le32(b[4:]), hex.EncodeToString(b[12:28])
		}
	case gblSignature:
		g.Signed = size == 64
	case gblCertificate:
		return g.certificate(o, at, size)
	case gblLoader:
		g.Loader = true
		return part(fmt.Sprintf("boot loader for %#x", word(4)), 8)
	case gblProgram, gblErase:
		return part(fmt.Sprintf("program for %#x", word(0)), 4)
	case gblProgramLZ4:
		return part(fmt.Sprintf("program for %#x, LZ4", word(0)), 4)
	case gblProgramLZMA:
		return part(fmt.Sprintf("program for %#x, LZMA", word(0)), 4)
	case gblMetadata:
		return part("metadata", 0)
	case gblSE:
		return part("image of the secure engine", 8)
	case gblEncryptedAt:
		return part("encrypted data", 0)
	}
	return nil
}

// certificate reads the key that signs: structure version, flags, public key in two numbers, version, signature.
func (g *GBL) certificate(o *tree.Opening, at, size int64) error {
	b, err := o.Read(at, int(min(size, 136)))
	if err != nil {
		return err
	}
	if len(b) < 136 {
		return nil
	}
	if key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, b[4:68]...)); err == nil {
		g.KeySPKI, _ = x509.MarshalPKIXPublicKey(key)
	}
	return nil
}
