package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ReadOnlyRelocations looks for network programs whose tables of functions can be written to.
var ReadOnlyRelocations = &check.Check{
	ID:       "security.read-only-relocations",
	Title:    "Keeps the function tables of its network programs from being overwritten",
	Why:      "A single write to the wrong place turns into control over the program when the table of its functions can be written to.",
	Pass:     "every program that takes connections has PT_GNU_RELRO and binds all symbols when it starts, where its tool chains can",
	Fix:      "Link with -z relro -z now.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-RELRO"},
	Sources:      []string{"ld(1): -z relro, -z now"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("network programs of which that can be expected", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		var all []artefact.Binary
		for _, b := range artefact.Listeners(f.Binaries) {
			if b.Expected().RELRO && !b.Static && b.Language != hardening.Go {
				all = append(all, b)
			}
		}
		return len(all), judgeRelocations(all)
	}),
}

// judgeRelocations finds programs whose relocations stay open for writing, in whole or in part.
func judgeRelocations(all []artefact.Binary) (findings []check.Finding) {
	var none, part []artefact.Binary
	for _, b := range all {
		switch {
		case !b.RELRO:
			none = append(none, b)
		case !b.Now && b.Expected().Now:
			part = append(part, b)
		}
	}
	if len(none) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Runs %d of %d network programs without read-only relocations", len(none), len(all)),
			Seen:  "no PT_GNU_RELRO: " + check.Places(artefact.Nodes(none)),
		})
	}
	if len(part) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Runs %d of %d network programs with relocations that are read-only only in part", len(part), len(all)),
			Seen:  "symbols are bound when they are first used, so that their table stays open: " + check.Places(artefact.Nodes(part)),
		})
	}
	return findings
}
