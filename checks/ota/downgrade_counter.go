package ota

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/product"
)

// DowngradeCounter looks whether images carry what keeps old ones from coming back.
var DowngradeCounter = &check.Check{
	ID:       "ota.downgrade-counter",
	Title:    "Carries a counter that keeps old firmware from coming back",
	Why:      "An old version is signed too. Without a counter whoever wants in installs the one with the known hole.",
	Pass:     "every MCUboot image has a security counter among what is signed, and every signed application for the ESP32 family a secure version above 0",
	Fix:      "Sign with imgtool sign --security-counter; set CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK and raise the number with each fix of a hole.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.3-2", "CRA:I.2f", "ISTG:FW[UPDT]-LOGIC-001"},
	Sources:      []string{"MCUboot: docs/design.md, Downgrade prevention", "ESP-IDF: Over The Air Updates, Anti-rollback", "devices may compare versions in other ways, so that this is only told of"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("signed images of kinds with counters", judgeCounters),
}

// judgeCounters finds signed images without a counter.
func judgeCounters(f *artefact.Facts, _ *check.T) (looked int, findings []check.Finding) {
	for n := range f.Root.All() {
		signed, counted := false, false
		switch i := n.Info.(type) {
		case *mcu.MCUboot:
			signed, counted = len(i.Signatures) > 0, i.Counted
		case *mcu.ESPImage:
			signed, counted = i.App && len(i.Signatures) > 0, i.SecureVersion > 0
		}
		if !signed {
			continue
		}
		if looked++; !counted {
			findings = append(findings, check.Finding{Title: "Carries no counter against old firmware", Seen: fmt.Sprintf("%s: %s", n.Path(), n.About)})
		}
	}
	return looked, findings
}
