package security

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// UnboundedFunctions counts the functions without a bound that network programs call.
var UnboundedFunctions = &check.Check{
	ID:       "security.unbounded-functions",
	Title:    "Calls no function that copies without a bound in its network programs",
	Why:      "Most overflows in routers and cameras were a strcpy or sprintf of something that came from the network, and most injections a system.",
	Pass:     "no program that takes connections calls gets, strcpy, strcat, sprintf, vsprintf, system or popen",
	Fix:      "Begin with the program that calls most of them: use snprintf, strlcpy and posix_spawn.",
	Severity: check.Info,

	Requirements: []string{"EN303645:5.6-9", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-WEAKFN"},
	Sources:      []string{"CERT C: STR31-C, STR38-C, ENV33-C", "C11, K.3.5.4.1: gets was removed"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("network programs whose calls are known", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		looked := 0
		for _, b := range artefact.Listeners(f.Binaries) {
			looked++
			t.Record("%s calls %d of the functions without a bound", b.Node.Path(), len(b.AnyOf(unbounded...)))
		}
		return looked, judgeUnbounded(artefact.Listeners(f.Binaries))
	}),
}

// unbounded are functions that do not know how much room there is, and such that give a text to a shell.
var unbounded = []string{"gets", "strcpy", "strcat", "sprintf", "vsprintf", "system", "popen"}

// judgeUnbounded ranks programs by how many of these they call; gets is worse, since no use of it is right.
func judgeUnbounded(all []artefact.Binary) (findings []check.Finding) {
	var some []artefact.Binary
	for _, b := range all {
		if b.Calls("gets") {
			findings = append(findings, check.Finding{
				Severity: check.Minor, Title: "Calls gets in a network program", Seen: b.Node.Path() + " calls gets, which cannot be used safely",
			})
		}
		if len(b.AnyOf(unbounded...)) > 0 {
			some = append(some, b)
		}
	}
	if len(some) == 0 {
		return findings
	}
	slices.SortStableFunc(some, func(a, b artefact.Binary) int {
		return cmp.Compare(len(b.AnyOf(unbounded...)), len(a.AnyOf(unbounded...)))
	})
	var lines []string
	for _, b := range some[:min(5, len(some))] {
		lines = append(lines, fmt.Sprintf("%s calls %s", b.Node.Path(), strings.Join(b.AnyOf(unbounded...), ", ")))
	}
	return append(findings, check.Finding{
		Title: fmt.Sprintf("Calls functions without a bound in %d of %d network programs", len(some), len(all)),
		Seen:  strings.Join(lines, "; "),
	})
}
