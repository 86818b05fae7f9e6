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

// TestSigningKey looks for images that are signed with a key that everybody has.
var TestSigningKey = &check.Check{
	ID:       "security.test-signing-key",
	Title:    "Signs its updates with a key of its own",
	Why:      "The sample keys of MCUboot lie in its repository with their private halves, and builds take one when nobody configures another. Anybody can then sign an update that every unit installs.",
	Pass:     "no MCUboot image is signed by one of the keys that MCUboot's repository holds",
	Fix:      "Make a key with imgtool keygen, set it as CONFIG_BOOT_SIGNATURE_KEY_FILE of the boot loader, and plan how units in the field get a boot loader that trusts it.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.3-7", "CRA:I.2f", "ISTG:FW[UPDT]-CRYPT-001"},
	Rows:         []string{"KEY-PUBLIC-TEST"},
	Sources:      []string{"MCUboot: root-*.pem of its repository, by the hash that imgtool writes as KEYHASH"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("MCUboot images that tell their key", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		nodes, images := tree.InfoOf[*mcu.MCUboot](f.Root)
		return judgeSigningKeys(nodes, images)
	}),
}

// judgeSigningKeys finds images that are signed by a sample key.
func judgeSigningKeys(nodes []*tree.Node, images []*mcu.MCUboot) (looked int, findings []check.Finding) {
	for i, m := range images {
		if len(m.Signatures) == 0 || m.KeyHash == "" && m.PublicKey == nil {
			continue
		}
		looked++
		if sample := m.Sample(); sample != "" {
			findings = append(findings, check.Finding{
				Title: "Signs its updates with a sample key that everybody has",
				Seen:  fmt.Sprintf("%s (%s) is signed by %s of MCUboot, key hash %.16s…", nodes[i].Path(), m, sample, m.KeyHash),
			})
		}
	}
	return looked, findings
}
