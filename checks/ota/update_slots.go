package ota

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// UpdateSlots looks whether the flash has room for an update beside what runs.
var UpdateSlots = &check.Check{
	ID:       "ota.update-slots",
	Title:    "Has two slots for updates in its flash, and goes back when the new one fails",
	Why:      "Without a second slot an update overwrites what runs, and a lost connection leaves a dead device. The partition table cannot be changed safely once devices are sold.",
	Pass:     "the partition table of an ESP32 has two slots for updates, or one beside a factory application that updates it, and the boot loader keeps the state of a new image",
	Fix:      "Use a table with ota_0, ota_1 and otadata, and set CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE, before the first unit is sold.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.3-2", "CRA:I.2c", "ISTG:FW[UPDT]-LOGIC-001"},
	Rows:         []string{"FW-ESP-OTA"},
	Sources:      []string{"ESP-IDF: Partition Tables; Over The Air Updates, App Rollback", "our choice: one slot beside a factory application is taken for a recovery system, and only told of"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("partition tables of ESP32", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		nodes, tables := tree.InfoOf[*mcu.ESPTable](f.Root)
		var findings []check.Finding
		looked := 0
		for i, t := range tables {
			if nodes[i].Parent != nil && nodes[i].Parent.Format == "esp-flash" {
				continue // the dump tells the same
			}
			looked++
			findings = append(findings, judgeSlots(nodes[i], t)...)
		}
		at, choices := tree.InfoOf[*mcu.ESPOTASelect](f.Root)
		for i, c := range choices {
			findings = append(findings, judgeRollback(at[i], c)...)
		}
		return looked, findings
	}),
}

// judgeSlots finds tables without room for an update.
func judgeSlots(n *tree.Node, t *mcu.ESPTable) []check.Finding {
	slots, factory, choice := 0, false, false
	for _, p := range t.Partitions {
		switch {
		case p.OTA():
			slots++
		case p.Type == mcu.ESPApp && p.Subtype == mcu.ESPFactory:
			factory = true
		case p.Type == mcu.ESPData && p.Subtype == mcu.ESPOTAData:
			choice = true
		}
	}
	seen := fmt.Sprintf("%s: %d partitions, %d slots for updates, factory application: %v, otadata: %v", n.Path(), len(t.Partitions), slots, factory, choice)
	switch {
	case slots >= 2 && choice:
		return nil
	case slots >= 2:
		return []check.Finding{{Title: "Has nowhere to note which slot is to be started", Seen: seen}}
	case slots == 1 && factory && choice:
		return []check.Finding{{Severity: check.Info, Title: "Has one slot for updates beside a factory application", Seen: seen}}
	case slots == 1:
		return []check.Finding{{Title: "Has one slot for updates only, in which what runs is overwritten", Seen: seen}}
	}
	return []check.Finding{{Title: "Has no slot for updates", Seen: seen}}
}

// judgeRollback finds boot loaders that keep no state of a new image.
func judgeRollback(n *tree.Node, c *mcu.ESPOTASelect) []check.Finding {
	for _, s := range c.States {
		if s != mcu.Unkept {
			return nil
		}
	}
	return []check.Finding{{
		Severity: check.Minor, Title: "Does not go back to the old firmware when the new one fails",
		Seen: fmt.Sprintf("%s: the slot was chosen %d times, and no state of the image is kept, as without CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE", n.Path(), len(c.Sequences)),
	}}
}
