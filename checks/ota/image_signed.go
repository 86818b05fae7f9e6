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

// ImageSigned looks for updates of formats that carry signatures, without one.
var ImageSigned = &check.Check{
	ID:       "ota.image-signed",
	Title:    "Ships its updates signed",
	Why:      "An update without a signature is an update from anybody: whoever reaches the download, the phone app or the radio writes what the device runs. TLS to the server does not help where a file is handed on.",
	Pass:     "every MCUboot image, Gecko Bootloader file, Nordic DFU packet and SUIT envelope carries a signature",
	Fix:      "Sign in the build (imgtool sign --key, commander gbl create --sign, nrfutil pkg generate --key-file), and have the boot loader refuse what is not signed.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.3-9", "CRA:I.2f", "ISTG:FW[UPDT]-CRYPT-001"},
	Rows:         []string{"UPD-SIG-NONE"},
	Sources: []string{
		"MCUboot: docs/design.md, Image format", "Silicon Labs UG489", "Nordic nRF5 SDK: dfu-cc.proto", "draft-ietf-suit-manifest, 8.3",
		"ZCL 11.4: of 897 Zigbee OTA files in the wild none has the signature element of the standard, so that one is only told of; Matter leaves the signature of the payload to the maker",
	},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("updates of formats with signatures", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeSigned(f.Root)
	}),
}

// judgeSigned finds updates without signature.
func judgeSigned(root *tree.Node) (looked int, findings []check.Finding) {
	add := func(n *tree.Node, signed bool, what string) {
		looked++
		if !signed {
			findings = append(findings, check.Finding{Title: fmt.Sprintf("Ships %s without a signature", what), Seen: fmt.Sprintf("%s: %s", n.Path(), n.About)})
		}
	}
	packets := map[*tree.Node]bool{}
	for _, p := range mcu.NordicPackages(root) {
		packets[p.Init] = true
		add(p.Init, p.Packet != nil && p.Packet.Signature != "", "a Nordic DFU package")
	}
	for n := range root.All() {
		switch i := n.Info.(type) {
		case *mcu.MCUboot:
			add(n, len(i.Signatures) > 0, "an MCUboot image")
		case *mcu.GBL:
			add(n, i.Signed, "a Gecko Bootloader file")
		case *mcu.NordicInit:
			if !packets[n] {
				add(n, i.Signature != "", "a Nordic DFU packet")
			}
		case *ota.SUIT:
			add(n, len(i.Signatures) > 0, "a SUIT envelope")
		case *ota.Zigbee:
			if looked++; !i.Signed && !holdsSigned(n) {
				findings = append(findings, check.Finding{
					Severity: check.Info, Title: "Ships a Zigbee update in which no signature is to be seen",
					Seen: fmt.Sprintf("%s (%s): no signature element, and none in an image of a known kind inside; the maker's own elements may hold one", n.Path(), n.About),
				})
			}
		}
	}
	return looked, findings
}

// holdsSigned reports whether an update holds an image of a known kind, which is then judged by itself.
func holdsSigned(n *tree.Node) bool {
	for c := range n.All() {
		switch c.Info.(type) {
		case *mcu.MCUboot, *mcu.GBL, *mcu.ESPImage:
			return true
		}
	}
	return false
}
