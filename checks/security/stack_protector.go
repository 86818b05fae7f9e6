package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// StackProtector looks for network programs that do not notice when their stack is overwritten.
var StackProtector = &check.Check{
	ID:       "security.stack-protector",
	Title:    "Has its network programs notice when their stack is overwritten",
	Why:      "Without the canary an overflow on the stack becomes control over the program; with it, a crash that can be found and fixed.",
	Pass:     "every program in C that takes connections refers to __stack_chk_fail or __stack_chk_guard",
	Fix:      "Build with -fstack-protector-strong.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-CANARY"},
	Sources:      []string{"GCC: -fstack-protector-strong", "Linux Standard Base: __stack_chk_fail"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("network programs in C", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		var all []artefact.Binary
		for _, b := range artefact.Listeners(f.Binaries) {
			if b.Language == hardening.C && b.Known {
				all = append(all, b)
			}
		}
		return len(all), judgeProtectors(all)
	}),
}

// judgeProtectors finds programs without a canary.
func judgeProtectors(all []artefact.Binary) []check.Finding {
	var bare []artefact.Binary
	for _, b := range all {
		if !b.Canary {
			bare = append(bare, b)
		}
	}
	if len(bare) == 0 {
		return nil
	}
	return []check.Finding{{
		Title: fmt.Sprintf("Runs %d of %d network programs without stack protector", len(bare), len(all)),
		Seen:  "nothing in them refers to __stack_chk_fail: " + check.Places(artefact.Nodes(bare)),
	}}
}
