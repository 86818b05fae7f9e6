package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/hardening"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ExecutableStack looks for programs whose stack can be executed.
var ExecutableStack = &check.Check{
	ID:       "security.executable-stack",
	Title:    "Has no program whose stack can be executed",
	Why:      "A request that overflows a buffer then brings the code along that it wants run. That is how routers and cameras were taken by the million.",
	Pass:     "every program and library of an architecture whose tool chains mark the stack asks for one that is not executable",
	Fix:      "Find the assembler file without a .note.GNU-stack section, or the -z execstack, and build without it.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"ELF-NX"},
	Sources:      []string{"elf(5): PT_GNU_STACK", "Linux, arch/*/include/asm/elf.h: what a missing PT_GNU_STACK means"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("programs whose tool chains mark the stack", func(f *artefact.Facts, t *check.T) (int, []check.Finding) {
		var marked []artefact.Binary
		for _, b := range f.Binaries {
			if b.Expected().Marked {
				marked = append(marked, b)
			}
		}
		if left := len(f.Binaries) - len(marked); left > 0 {
			t.Record("%s: %d programs and libraries are left out: %s", f.File, left, unmarkedWhy(f.Binaries))
		}
		return len(marked), judgeStacks(marked)
	}),
}

// unmarkedWhy says why the stacks of some binaries are not judged.
func unmarkedWhy(all []artefact.Binary) string {
	for _, b := range all {
		if e := b.Expected(); !e.Marked {
			return e.Why
		}
	}
	return ""
}

// judgeStacks finds programs that ask for an executable stack, and such whose mark is missing where the kernel then gives them one.
func judgeStacks(all []artefact.Binary) (findings []check.Finding) {
	var asks, missing []artefact.Binary
	for _, b := range all {
		switch {
		case b.Stack == hardening.StackExecutable:
			asks = append(asks, b)
		case b.Stack == hardening.StackUnmarked && b.Unmarked() == hardening.StackExecutable:
			missing = append(missing, b)
		}
	}
	for _, c := range []struct {
		binaries []artefact.Binary
		seen     string
	}{{asks, "ask for an executable stack"}, {missing, "do not mark their stack, which makes it executable there"}} {
		if n := len(c.binaries); n > 0 {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Runs %d of %d programs and libraries with an executable stack", n, len(all)),
				Seen:  fmt.Sprintf("%d %s: %s", n, c.seen, check.Places(artefact.Nodes(c.binaries))),
			})
		}
	}
	return findings
}
