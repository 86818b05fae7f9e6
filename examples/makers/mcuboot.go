package main

import (
	"encoding/json"
	"os"

	"github.com/apache/mynewt-artifact/image"
	"github.com/apache/mynewt-artifact/sec"
)

// spec is what is to be made.
type spec struct {
	Body       []byte
	Version    string
	Keys       []string // files of private keys that sign
	EncryptFor string   // a file with a public key
	Hardware   bool     // it is encrypted with a secret of the chip
	HeaderSize int
	Loader     []byte // the hash of the image that starts this one
	Section    string
}

// mcuboot works with the library of Apache Mynewt, whose newt and newtmgr make and read the images of MCUboot.
func mcuboot(verb string, args []string) error {
	switch {
	case verb == "make" && len(args) == 2:
		text, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		var s spec
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		return s.make(args[1])
	case verb == "check" && len(args) == 1:
		i, err := image.ReadImage(args[0])
		if err != nil {
			return err
		}
		_, err = i.VerifyHash(nil)
		return err
	}
	return errUsage
}

func (s spec) make(out string) error {
	version, err := image.ParseVersion(s.Version)
	if err != nil {
		return err
	}
	c := image.NewImageCreator()
	c.Body, c.Version, c.HWKeyIndex, c.HeaderSize = s.Body, version, -1, max(s.HeaderSize, image.IMAGE_HEADER_SIZE)
	if c.SigKeys, err = sec.ReadPrivSignKeys(s.Keys); err != nil {
		return err
	}
	if s.Loader != nil {
		c.InitialHash, c.Bootable = s.Loader, false
	}
	if s.Section != "" {
		c.Sections = []image.Section{{Name: s.Section, Offset: 4, Size: 8}}
	}
	if s.EncryptFor != "" || s.Hardware {
		if c.PlainSecret, err = image.GeneratePlainSecret(); err != nil {
			return err
		}
	}
	if s.Hardware {
		c.HWKeyIndex, c.Nonce = 1, []byte("nonce123")
	}
	if s.EncryptFor != "" {
		key, err := sec.ReadPubEncKey(s.EncryptFor)
		if err != nil {
			return err
		}
		if c.CipherSecret, err = key.Encrypt(c.PlainSecret); err != nil {
			return err
		}
	}
	i, err := c.Create()
	if err != nil {
		return err
	}
	return i.WriteToFile(out)
}
