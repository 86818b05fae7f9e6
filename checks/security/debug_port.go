package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// DebugPort looks at the option words that the factory writes with the firmware.
var DebugPort = &check.Check{
	ID:       "security.debug-port",
	Title:    "Closes the debug port of its microcontroller",
	Why:      "Through an open debug port the whole firmware is copied in seconds, with the keys in it, and the device is made to do anything.",
	Pass:     "where a file for the factory writes the option word of an nRF52 (UICR.APPROTECT) or an STM32 (RDP), the word closes the port",
	Fix:      "Write 0x00 to UICR.APPROTECT; set RDP of an STM32 to level 1 or 2 as the last step in the factory.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-4A", "CRA:I.2j", "ISTG:PROC-AUTHZ-001"},
	Rows:         []string{"SVC-JTAG"},
	Sources: []string{
		"Nordic nRF52840 Product Specification: UICR.APPROTECT at 0x10001208", "ST RM0313, RM0008: option bytes at 0x1FFFF800", "ST RM0090: option bytes at 0x1FFFC000",
		"a file that does not write the word says nothing; eFuses of ESP32 are in no image",
	},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("option words", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		nodes, files := tree.InfoOf[*mcu.Memory](f.Root)
		return judgeDebugPorts(nodes, files)
	}),
}

// optionWords are where chips keep what opens their debug port.
var optionWords = []struct {
	name string
	at   uint32
	open func(word uint32) (open, known bool)
}{
	{"UICR.APPROTECT of an nRF52", 0x10001208, func(w uint32) (bool, bool) { return w&0xFF == 0xFF || w&0xFF == 0x5A, true }},
	{"RDP of an STM32 F0, F1 or F3", 0x1FFFF800, func(w uint32) (bool, bool) {
		low := w & 0xFFFF
		return low == 0x55AA || low == 0x5AA5, low>>8^low&0xFF == 0xFF
	}},
	{"RDP of an STM32 F2 or F4", 0x1FFFC000, func(w uint32) (bool, bool) { return w>>8&0xFF == 0xAA, true }},
}

// judgeDebugPorts finds words that open a port.
func judgeDebugPorts(nodes []*tree.Node, files []*mcu.Memory) (looked int, findings []check.Finding) {
	for i, m := range files {
		for _, o := range optionWords {
			word, there := m.Word(o.at)
			if !there {
				continue
			}
			open, known := o.open(word)
			if !known {
				continue
			}
			looked++
			if open {
				findings = append(findings, check.Finding{
					Title: "Leaves the debug port of its microcontroller open",
					Seen:  fmt.Sprintf("%s writes %#x to %#x: %s, open", nodes[i].Path(), word, o.at, o.name),
				})
			}
		}
	}
	return looked, findings
}
