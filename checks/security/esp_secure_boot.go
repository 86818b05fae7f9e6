package security

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// ESPSecureBoot looks for images for the ESP32 family that no chip with secure boot would start.
var ESPSecureBoot = &check.Check{
	ID:       "security.esp-secure-boot",
	Title:    "Ships its ESP32 images signed",
	Why:      "A chip that starts what is not signed starts what a thief, a reseller or a forged update wrote to its flash. Secure boot cannot be switched on for devices whose updates are not signed.",
	Pass:     "every boot loader and application for the ESP32 family carries a signature of secure boot v1 or v2, and what can be verified of it holds",
	Fix:      "Switch on CONFIG_SECURE_BOOT, or CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT where the chips in the field cannot change any more, and sign with a key that stays off the build machine.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.7-1", "CRA:I.2f", "ISTG:FW[INST]-CRYPT-001"},
	Rows:         []string{"FW-ESP-SECBOOT"},
	Sources:      []string{"ESP-IDF: Secure Boot V2, Signature Block Format", "whether the chip demands the signature is in its eFuses, which no image tells"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("ESP32 images", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		nodes, images := tree.InfoOf[*mcu.ESPImage](f.Root)
		return len(images), judgeESPSignatures(nodes, images)
	}),
}

// judgeESPSignatures finds images without a signature, and signatures that do not hold.
func judgeESPSignatures(nodes []*tree.Node, images []*mcu.ESPImage) (findings []check.Finding) {
	var bare []*tree.Node
	for i, image := range images {
		if len(image.Signatures) == 0 {
			bare = append(bare, nodes[i])
			continue
		}
		var broken []string
		for _, s := range image.Signatures {
			if s.KeyDigest != "" && !s.Fits && s.SPKI != nil {
				broken = append(broken, fmt.Sprintf("%s, key digest %.16s…", s.Scheme, s.KeyDigest))
			}
		}
		if len(broken) == len(image.Signatures) {
			findings = append(findings, check.Finding{
				Title: "Ships an ESP32 image whose signature does not hold",
				Seen:  fmt.Sprintf("%s (%s): the bytes of the image are not what was signed: %s", nodes[i].Path(), image, strings.Join(broken, "; ")),
			})
		}
	}
	if len(bare) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Ships %d of %d ESP32 images without a signature", len(bare), len(images)),
			Seen:  "no signature block of secure boot v1 or v2 follows " + check.Places(bare),
		})
	}
	return findings
}
