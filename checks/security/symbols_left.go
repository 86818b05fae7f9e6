package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SymbolsLeft looks for programs that still hold what only debuggers need.
var SymbolsLeft = &check.Check{
	ID:       "security.symbols-left",
	Title:    "Ships its programs without symbols and debug information",
	Why:      "Names of functions, files and variables are a map for whoever looks for a way in, and take room in flash.",
	Pass:     "no program or library has .symtab or debug information",
	Fix:      "Run strip on what goes into the image, and keep the unstripped files for yourself.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.6-6", "CRA:I.2j", "ISTG:FW-INFO-002"},
	Rows:         []string{"ELF-SYMS"},
	Sources:      []string{"gABI: SHT_SYMTAB", "strip(1)"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("programs and libraries", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Binaries), judgeSymbols(f.Binaries)
	}),
}

// judgeSymbols finds programs that were not stripped.
func judgeSymbols(all []artefact.Binary) (findings []check.Finding) {
	var symbols, debug []artefact.Binary
	for _, b := range all {
		switch {
		case b.Debug:
			debug = append(debug, b)
		case b.Symbols:
			symbols = append(symbols, b)
		}
	}
	if len(debug) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Ships %d of %d programs and libraries with debug information", len(debug), len(all)),
			Seen:  "debug information is in " + check.Places(artefact.Nodes(debug)),
		})
	}
	if len(symbols) > 0 {
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Ships %d of %d programs and libraries with their symbols", len(symbols), len(all)),
			Seen:  "the table of symbols is in " + check.Places(artefact.Nodes(symbols)),
		})
	}
	return findings
}
