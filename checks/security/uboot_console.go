package security

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// UBootConsole looks for boot loaders that can be stopped at the console.
var UBootConsole = &check.Check{
	ID:       "security.uboot-console",
	Title:    "Cannot be stopped in its boot loader without a password",
	Why:      "One key on the serial console, and U-Boot loads whatever it is given: the flash can be read and the root password does not matter.",
	Pass:     "bootdelay is 0 or less, or a password or key stops the boot (bootstopkey, bootstopkeysha256, bootdelaykey)",
	Fix:      "CONFIG_BOOTDELAY=-2, or CONFIG_AUTOBOOT_KEYED with CONFIG_AUTOBOOT_STOP_STR_SHA256 of its own for each unit.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-4A", "CRA:I.2j", "ISTG:INT[UART]-AUTHZ-002"},
	Rows:         []string{"SVC-UBOOT-DELAY"},
	Sources:      []string{"U-Boot, doc/README.autoboot", "U-Boot, common/autoboot.c: bootdelay"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("environments of U-Boot", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		all := used(f.Environments)
		return len(all), judgeBootDelays(all)
	}),
}

// used are the environments that a boot loader would take: those that are saved, and only where there are none the ones that it was built
// with.
func used(all []artefact.Environment) []artefact.Environment {
	var saved []artefact.Environment
	for _, e := range all {
		if e.Saved {
			saved = append(saved, e)
		}
	}
	if len(saved) > 0 {
		return saved
	}
	return all
}

// judgeBootDelays finds environments that wait for a key. One that does not say how long is not judged: what it was built with holds.
func judgeBootDelays(all []artefact.Environment) (findings []check.Finding) {
	for _, e := range all {
		delay, err := strconv.Atoi(strings.TrimSpace(e.Values["bootdelay"]))
		if err != nil || delay <= 0 {
			continue
		}
		keyed := false
		for _, name := range []string{"bootstopkey", "bootstopkeysha256", "bootstopkeycrypt", "bootdelaykey"} {
			keyed = keyed || e.Values[name] != ""
		}
		if !keyed {
			findings = append(findings, check.Finding{
				Title: "Waits in its boot loader for anybody to take over",
				Seen:  fmt.Sprintf("bootdelay is %d s in the environment %s, and no password stops it", delay, e.Place()),
			})
		}
	}
	return findings
}
