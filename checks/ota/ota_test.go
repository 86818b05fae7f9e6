package ota

import (
	"testing"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/mcu"
	"github.com/shakedown-test/shakedown/firmware/ota"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

func TestJudgeSlots(t *testing.T) {
	factory, slot0, slot1 := mcu.ESPPartition{Type: mcu.ESPApp, Subtype: mcu.ESPFactory}, mcu.ESPPartition{Type: mcu.ESPApp, Subtype: mcu.ESPOTA0}, mcu.ESPPartition{Type: mcu.ESPApp, Subtype: mcu.ESPOTA0 + 1}
	choice := mcu.ESPPartition{Type: mcu.ESPData, Subtype: mcu.ESPOTAData}
	for name, c := range map[string]struct {
		partitions []mcu.ESPPartition
		want       check.Severity // of the finding; empty: there is none, Major: that of the check
	}{
		"two slots":             {[]mcu.ESPPartition{choice, slot0, slot1}, ""},
		"and a factory":         {[]mcu.ESPPartition{choice, factory, slot0, slot1}, ""},
		"a recovery system":     {[]mcu.ESPPartition{choice, factory, slot0}, check.Info},
		"one slot":              {[]mcu.ESPPartition{choice, slot0}, check.Major},
		"a factory alone":       {[]mcu.ESPPartition{factory}, check.Major},
		"nothing tells the one": {[]mcu.ESPPartition{slot0, slot1}, check.Major},
	} {
		got := judgeSlots(&tree.Node{Name: "flash"}, &mcu.ESPTable{Partitions: c.partitions})
		severity := check.Severity("")
		if len(got) > 0 {
			if severity = got[0].Severity; severity == "" {
				severity = check.Major
			}
		}
		if severity != c.want {
			t.Errorf("%s: %v, want %q", name, got, c.want)
		}
	}
}

func TestJudgeRollback(t *testing.T) {
	n := &tree.Node{Name: "otadata"}
	if got := judgeRollback(n, &mcu.ESPOTASelect{Sequences: []uint32{1, 2}, States: []uint32{mcu.Unkept, 2}}); len(got) != 0 {
		t.Error(got)
	}
	if got := judgeRollback(n, &mcu.ESPOTASelect{Sequences: []uint32{1}, States: []uint32{mcu.Unkept}}); len(got) != 1 {
		t.Error("no finding")
	}
}

// file is an update with what was read of it.
func file(info any, children ...*tree.Node) *tree.Node {
	n := &tree.Node{Name: "update", Info: info, Children: children}
	for _, c := range children {
		c.Parent = n
	}
	return n
}

func TestJudgeImages(t *testing.T) {
	signed := []string{"ECDSA"}
	for name, c := range map[string]struct {
		root                      *tree.Node
		unsigned, broken, counter int // findings
	}{
		"MCUboot":                {file(&mcu.MCUboot{Signatures: signed, Checked: true, HashFits: true, Counted: true}), 0, 0, 0},
		"MCUboot, bare":          {file(&mcu.MCUboot{Checked: true, HashFits: true}), 1, 0, 0},
		"MCUboot, damaged":       {file(&mcu.MCUboot{Signatures: signed, Checked: true}), 0, 1, 1},
		"MCUboot, encrypted":     {file(&mcu.MCUboot{Signatures: signed, Encrypted: true, Counted: true}), 0, 0, 0},
		"GBL":                    {file(&mcu.GBL{Signed: true, Intact: true}), 0, 0, 0},
		"GBL, bare":              {file(&mcu.GBL{Intact: true}), 1, 0, 0},
		"GBL, damaged":           {file(&mcu.GBL{Signed: true}), 0, 1, 0},
		"Nordic packet":          {file(&mcu.NordicInit{Signature: "Ed25519"}), 0, 0, 0},
		"Nordic packet, bare":    {file(&mcu.NordicInit{}), 1, 0, 0},
		"SUIT":                   {file(&ota.SUIT{Signatures: signed, DigestKnown: true, DigestFits: true}), 0, 0, 0},
		"SUIT, bare and damaged": {file(&ota.SUIT{DigestKnown: true}), 1, 1, 0},
		"Zigbee":                 {file(&ota.Zigbee{}), 1, 0, 0}, // information
		"Zigbee with GBL":        {file(&ota.Zigbee{}, file(&mcu.GBL{Signed: true, Intact: true})), 0, 0, 0},
		"Matter, damaged":        {file(&ota.Matter{Checked: true}), 0, 1, 0},
		"ESP, bare":              {file(&mcu.ESPImage{App: true, ChecksumFits: true}), 0, 0, 0}, // another check looks at it
		"ESP":                    {file(&mcu.ESPImage{App: true, ChecksumFits: true, SecureVersion: 1, Signatures: []mcu.ESPSignature{{}}}), 0, 0, 0},
		"ESP, no counter":        {file(&mcu.ESPImage{App: true, ChecksumFits: true, Signatures: []mcu.ESPSignature{{}}}), 0, 0, 1},
		"records":                {file(&mcu.Memory{Faults: 1}), 0, 1, 0},
	} {
		_, unsigned := judgeSigned(c.root)
		_, broken := judgeIntact(c.root)
		_, counter := judgeCounters(&artefact.Facts{Root: c.root}, nil)
		if len(unsigned) != c.unsigned || len(broken) != c.broken || len(counter) != c.counter {
			t.Errorf("%s: %v %v %v", name, unsigned, broken, counter)
		}
	}
}
