package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// FortifiedCalls looks for network programs that were built without the checks of the C library.
var FortifiedCalls = &check.Check{
	ID:       "security.fortified-calls",
	Title:    "Builds its network programs with the checks of the C library",
	Why:      "FORTIFY_SOURCE ends a program before a copy runs over a buffer of known size; it costs one option of the compiler.",
	Pass:     "every program that takes connections, links glibc or bionic and calls functions with a checked form calls at least one of these in that form",
	Fix:      "Build with -O2 -D_FORTIFY_SOURCE=2.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-FORTIFY"},
	Sources:      []string{"feature_test_macros(7): _FORTIFY_SOURCE", "musl and uClibc have no checked forms: programs with them are left out"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("network programs that call functions with a checked form", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		var all []artefact.Binary
		for _, b := range artefact.Listeners(f.Binaries) {
			library := b.Library()
			if b.Language == hardening.C && (library == "glibc" || library == "bionic") && len(b.Fortified)+len(b.AnyOf(checkable...)) > 0 {
				all = append(all, b)
			}
		}
		return len(all), judgeFortified(all)
	}),
}

// checkable are functions that have a checked form, as far as buffers of known size are common with them.
var checkable = []string{"memcpy", "memmove", "memset", "strcpy", "strncpy", "strcat", "strncat", "sprintf", "snprintf", "vsprintf", "vsnprintf", "printf", "fprintf"}

// judgeFortified finds programs that use none of the checked forms. A few plain calls are usual in others: the compiler proves them safe.
func judgeFortified(all []artefact.Binary) []check.Finding {
	var plain []artefact.Binary
	for _, b := range all {
		if len(b.Fortified) == 0 && len(b.AnyOf(checkable...)) >= 3 {
			plain = append(plain, b)
		}
	}
	if len(plain) == 0 {
		return nil
	}
	return []check.Finding{{
		Title: fmt.Sprintf("Builds %d of %d network programs without the checks of the C library", len(plain), len(all)),
		Seen:  "they call functions that have a checked form only in the other one: " + check.Places(artefact.Nodes(plain)),
	}}
}
