package ota

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/ota"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// ImageIntact compares updates with the hashes and checksums that they carry.
var ImageIntact = &check.Check{
	ID:       "ota.image-intact",
	Title:    "Ships images that fit the hashes they carry",
	Why:      "A device refuses an image that does not fit its hash, again and again: the fleet downloads it for ever and stays on the old version. A boot loader that does not look starts it, and the device is dead.",
	Pass:     "every hash and checksum that an image carries of itself fits its bytes",
	Fix:      "Build and pack anew, and compare the hash of what is published with that of what was tested.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.3-2", "CRA:I.2h", "ISTG:FW[UPDT]-CRYPT-004"},
	Sources:      []string{"ESP-IDF: App Image Format", "MCUboot: docs/design.md", "Silicon Labs UG489", "Nordic nRF5 SDK: dfu-cc.proto", "Matter Core Specification: OTA image", "draft-ietf-suit-manifest, 8.3", "USB DFU 1.1, appendix B"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("images with hashes", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeIntact(f.Root)
	}),
}

// judgeIntact finds images that do not fit their hash.
func judgeIntact(root *tree.Node) (looked int, findings []check.Finding) {
	add := func(n *tree.Node, known, fits bool, what string) {
		if !known {
			return
		}
		looked++
		if !fits {
			findings = append(findings, check.Finding{Title: fmt.Sprintf("Ships %s that does not fit its hash", what), Seen: fmt.Sprintf("%s: %s", n.Path(), n.About)})
		}
	}
	for n := range root.All() {
		switch i := n.Info.(type) {
		case *mcu.ESPImage:
			add(n, true, i.Intact(), "an ESP32 image")
		case *mcu.ESP8266Image:
			add(n, true, i.ChecksumFits, "an ESP8266 image")
		case *mcu.MCUboot:
			add(n, i.Checked, i.HashFits, "an MCUboot image")
		case *mcu.GBL:
			add(n, true, i.Intact, "a Gecko Bootloader file")
		case *mcu.Telink:
			add(n, true, i.Intact, "Telink firmware")
		case *mcu.DFU:
			add(n, true, i.Intact, "a USB DFU file")
		case *mcu.Memory:
			add(n, true, i.Faults == 0, "a file of records")
		case *mcu.UF2:
			add(n, true, i.Faults == 0, "a UF2 file")
		case *ota.Matter:
			add(n, i.Checked, i.DigestFit, "a Matter OTA image")
		case *ota.SUIT:
			add(n, i.DigestKnown, i.DigestFits, "a SUIT envelope")
		}
	}
	for _, p := range mcu.NordicPackages(root) {
		fits, known := p.Fits()
		add(p.Init, known, fits, "a Nordic DFU package")
	}
	return looked, findings
}
