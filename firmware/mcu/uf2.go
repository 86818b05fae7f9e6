package mcu

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// uf2 is Microsoft's format for boot loaders that look like a USB stick (github.com/microsoft/uf2): blocks of 512 bytes, each complete.
var uf2 = tree.Format{ID: "uf2", Title: "UF2", Magic: []tree.Magic{{At: 0, Bytes: "UF2\nWQ]\x9e"}}, Search: true, Open: openUF2}

// UF2 is such a file.
type UF2 struct {
	Memory
	Families []string
	Version  string // these are of extension tags
	About    string
}

const (
	uf2Block    = 512
	uf2NotFlash = 0x0001 // flags
	uf2File     = 0x1000
	uf2Family   = 0x2000
	uf2Tagged   = 0x8000
)

var uf2Families = map[uint32]string{
	0x16573617: "ATmega32", 0x1851780A: "SAML21", 0x1B57745F: "nRF52", 0x1C5F21B0: "ESP32", 0x1E1F432D: "STM32L1", 0x202E3A91: "STM32L0", 0x21460FF0: "STM32WL",
	0x2ABC77EC: "LPC55", 0x300F5633: "STM32G0", 0x31D228C6: "GD32F350", 0x04240BDF: "STM32L5", 0x4C71240A: "STM32G4", 0x4FB2D5BD: "i.MX RT10xx", 0x53B80F00: "STM32F7",
	0x55114460: "SAMD51", 0x57755A57: "STM32F4", 0x5A18069B: "FX2", 0x5D1A0A2E: "STM32F2", 0x5EE21072: "STM32F1", 0x621E937A: "nRF52833", 0x647824B6: "STM32F0",
	0x68ED2B88: "SAMD21", 0x6B846188: "STM32F3", 0x6D0922FA: "STM32F407", 0x6DB66082: "STM32H7", 0x70D16653: "STM32WB", 0x7EAB61ED: "ESP8266", 0x7F83E793: "KL32L2",
	0x8FB060FE: "STM32F407VG", 0xADA52840: "nRF52840", 0xBFDD4EEE: "ESP32-S2", 0xC47E5767: "ESP32-S3", 0xD42BA06C: "ESP32-C3", 0x2B88D29C: "ESP32-C2",
	0x332726F6: "ESP32-H2", 0x540DDF62: "ESP32-C6", 0x3D308E94: "ESP32-P4", 0xF71C0343: "ESP32-C5", 0x77D850C4: "ESP32-C61",
	0xB6DD00AF: "ESP32-H21", 0x9E0BAA8A: "ESP32-H4", 0x3101F7C1: "ESP32-S31", 0xE48BFF56: "RP2040", 0xE48BFF57: "RP2350 (absolute)", 0xE48BFF58: "RP2350 (data)", 0xE48BFF59: "RP2350 (Arm, secure)",
	0xE48BFF5A: "RP2350 (RISC-V)", 0xE48BFF5B: "RP2350 (Arm, not secure)", 0x00FF6919: "STM32L4", 0x9AF03E33: "GD32VF103",
	0x4F6ACE52: "CSK4", 0x6E7348A8: "CSK6", 0x11DE784A: "BL702",
}

func openUF2(o *tree.Opening) error {
	u := &UF2{}
	parts := map[string]*memory{}
	want, got := map[string]uint32{}, map[string]uint32{}
	at := int64(0)
	for ; at+uf2Block <= o.Size(); at += uf2Block {
		b, err := o.Read(at, uf2Block)
		if err != nil {
			return err
		}
		if !isUF2(b) {
			if next, err := o.Read(at+uf2Block, uf2Block); u.Records == 0 || err != nil || !isUF2(next) {
				break
			}
			u.fault(o, int(at/uf2Block)+1, at, errors.New("the block does not begin or end as one"))
			continue
		}
		u.Records++
		flags, size := le32(b[8:]), int(le32(b[16:]))
		if flags&(uf2NotFlash|uf2File) != 0 {
			continue
		}
		if size > 476 {
			u.fault(o, int(at/uf2Block)+1, at, fmt.Errorf("the block says %d bytes", size))
			continue
		}
		family := ""
		if flags&uf2Family != 0 {
			family = named(uf2Families, le32(b[28:]))
		}
		if parts[family] == nil {
			if len(parts) == 64 {
				return tree.Bad(at, "it has blocks for more than 64 families")
			}
			parts[family] = &memory{}
			u.Families = append(u.Families, family)
		}
		parts[family].put(uint64(le32(b[12:])), b[32:32+size])
		got[family]++
		want[family] = max(want[family], le32(b[24:]))
		if flags&uf2Tagged != 0 {
			u.tags(b[32:508], (size+3)&^3)
		}
	}
	if u.Records == 0 {
		return tree.ErrNot
	}
	o.Ends(at)
	for _, family := range u.Families {
		if got[family] < want[family] {
			o.Note(-1, "%d of %d blocks are there", got[family], want[family])
			u.Faults++
		}
		u.Regions = append(u.Regions, parts[family].regions(o, family)...)
	}
	u.Families = slices.DeleteFunc(u.Families, func(s string) bool { return s == "" })
	if err := u.tell(o); err != nil {
		return err
	}
	o.Info(u)
	return nil
}

// isUF2 reports whether a block begins and ends as one.
func isUF2(b []byte) bool {
	return string(b[:8]) == "UF2\nWQ]\x9e" && le32(b[508:]) == 0x0AB16F30
}

// tags reads extension tags: a byte of size, three of kind, and a value, each from one word to the next.
func (u *UF2) tags(b []byte, at int) {
	for at+4 <= len(b) {
		size := int(b[at])
		if size < 4 || at+size > len(b) {
			return
		}
		value := text(b[at+4 : at+size])
		switch le32(b[at:]) >> 8 {
		case 0x9FC7BC:
			u.Version = value
		case 0x650D9D:
			u.About = value
		}
		at += (size + 3) &^ 3
	}
}
