package security

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ArtefactReadable opens what is shipped, and says how much of it can be looked at.
var ArtefactReadable = &check.Check{
	ID:       "security.artefact-readable",
	Title:    "Can be opened, so that what is in it can be judged",
	Why:      "What cannot be opened was not looked at: a key or a password in it stays unseen here, and not for ever by others.",
	Pass:     "nothing is damaged, and at most half of the bytes are encrypted or packed in a way that is not known",
	Fix:      "Give the image as it is before it is encrypted, and build it anew where it is damaged.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.4-1"},
	Rows:         []string{"FW-ENC-ENTROPY"},
	Sources:      []string{"our choice: blocks of 4 KiB with more than 7.93 bits of entropy a byte that no known format begins"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: artefactReadable,
}

// outlined is how many lines of contents go into the report.
const outlined = 400

func artefactReadable(_ context.Context, t *check.T) error {
	known := 0
	for _, f := range t.Artefacts {
		t.Opened(f.Outline(outlined, false))
		if f.Size > 0 {
			t.Measure("unreadable share of "+f.File, float64(f.Opaque)/float64(f.Size)*100, "%", "<= 50 %")
		}
		t.Find(judgeReadable(f)...)
		if f.Root.Format != "" || !f.Root.Leaf() {
			known++
		}
	}
	if known == 0 {
		return check.NotRun("give a firmware image or app package of a format that docs/formats.md lists", "none of the files is of a known format")
	}
	return nil
}

// judgeReadable finds what keeps an artefact from being judged.
func judgeReadable(f *artefact.Facts) (findings []check.Finding) {
	if f.Opaque*2 > f.Size {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Keeps most of %s out of sight", f.File),
			Seen:  fmt.Sprintf("%d of %d bytes look random and begin no known format", f.Opaque, f.Size),
		})
	}
	for n := range f.Root.All() {
		if n.Format == "" || len(n.Notes) == 0 {
			continue
		}
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Holds a damaged or odd %s", n.Format),
			Seen:  fmt.Sprintf("%s: %s", n.Path(), n.Notes[0]),
		})
	}
	return findings
}
