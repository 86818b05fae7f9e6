package security

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// KernelConfig looks at what the kernel was built with.
var KernelConfig = &check.Check{
	ID:       "security.kernel-config",
	Title:    "Has a kernel that was built for the field",
	Why:      "A kernel with a debugger, or with all memory open to root, turns every hole in a program into a lasting one.",
	Pass:     "no KGDB, no /dev/kmem, no unrestricted /dev/mem, no SysRq with all functions; code and stack are protected where the configuration has a word for it",
	Fix:      "Set the options as the Kernel Self Protection Project recommends them.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-8", "CRA:I.2k", "ISTG:FW-INFO-004"},
	Rows:         []string{"SVC-KDEBUG"},
	Sources:      []string{"Kernel Self Protection Project: recommended settings", "Linux, kernel/configs.c: IKCONFIG"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("configurations of a kernel", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		looked := 0
		for _, s := range f.Settings {
			if s.Kind == settings.Kernel {
				looked++
			}
		}
		return looked, judgeKernels(f.Settings)
	}),
}

// judgeKernels finds options that were left from development. What a configuration does not name, its kernel does not know.
func judgeKernels(all []artefact.Settings) (findings []check.Finding) {
	for _, f := range all {
		if f.Kind != settings.Kernel {
			continue
		}
		s := &f.Sections[0]
		is := func(name, value string) bool {
			v, ok := s.Get("CONFIG_" + name)
			return ok && v == value
		}
		var bad []string
		for _, c := range []struct {
			wrong bool
			what  string
		}{
			{is("KGDB", "y"), "KGDB is on"},
			{is("DEVKMEM", "y"), "/dev/kmem is there (DEVKMEM)"},
			{is("DEVMEM", "y") && is("STRICT_DEVMEM", "n"), "/dev/mem shows all memory (DEVMEM without STRICT_DEVMEM)"},
			{is("MAGIC_SYSRQ", "y") && is("MAGIC_SYSRQ_DEFAULT_ENABLE", "0x1"), "SysRq may do everything (MAGIC_SYSRQ_DEFAULT_ENABLE=0x1)"},
			{is("STRICT_KERNEL_RWX", "n") || is("DEBUG_RODATA", "n"), "code of the kernel can be written to (STRICT_KERNEL_RWX)"},
			{is("STRICT_MODULE_RWX", "n") || is("DEBUG_SET_MODULE_RONX", "n"), "code of modules can be written to (STRICT_MODULE_RWX)"},
			{is("STACKPROTECTOR", "n") || is("CC_STACKPROTECTOR", "n") || is("CC_STACKPROTECTOR_NONE", "y"), "no stack protector (STACKPROTECTOR)"},
			{is("SECCOMP", "n"), "no SECCOMP"},
		} {
			if c.wrong {
				bad = append(bad, c.what)
			}
		}
		if len(bad) > 0 {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Leaves %d options of its kernel as in the laboratory", len(bad)),
				Seen:  fmt.Sprintf("%s: %s", f.Node.Path(), strings.Join(bad, "; ")),
			})
		}
	}
	return findings
}
