package security

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// UBootNetwork looks for boot loaders that start what the network or a USB stick offers.
var UBootNetwork = &check.Check{
	ID:       "security.uboot-network",
	Title:    "Boots only from its own storage",
	Why:      "Whoever answers first in the network, or plugs in a stick, then decides what runs. No signature on updates helps against that.",
	Pass:     "bootcmd, and what it runs, uses no tftp, dhcp, bootp, nfs, pxe, USB or serial download",
	Fix:      "Take these out of bootcmd and boot_targets; set CONFIG_ENV_IS_NOWHERE or sign the environment.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.7-1", "CRA:I.2f", "ISTG:FW[INST]-CRYPT-001"},
	Rows:         []string{"SVC-UBOOT-NET"},
	Sources:      []string{"U-Boot, doc/develop/distro.rst: bootcmd, boot_targets"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("environments of U-Boot", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		all := used(f.Environments)
		return len(all), judgeBootCommands(all)
	}),
}

// fetches are words of a boot command that take code from elsewhere.
var fetches = regexp.MustCompile(`(?:^|[;&|{\s])(tftp|tftpboot|tftpb|dhcp|bootp|nfs|pxe (?:get|boot)|wget|loadb|loady|loadx|usb (?:start|reset|boot)|usbboot|(?:fat|ext2|ext4)?load usb)(?:[;\s]|$)`)

// judgeBootCommands finds environments whose boot command reaches such a word.
func judgeBootCommands(all []artefact.Environment) (findings []check.Finding) {
	for _, e := range all {
		by, word := fetched(e.Values, "bootcmd", nil)
		if word == "" {
			continue
		}
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Boots what %s brings", word),
			Seen:  fmt.Sprintf("%s uses %s in the environment %s", strings.Join(by, " runs "), word, e.Place()),
		})
	}
	return findings
}

// fetched follows a variable and those that it runs, and says by which ways it comes to a word that fetches code.
func fetched(values map[string]string, name string, by []string) (way []string, word string) {
	if len(by) > 20 || slices.Contains(by, name) {
		return nil, ""
	}
	by = append(slices.Clone(by), name)
	text := values[name]
	if m := fetches.FindStringSubmatch(text); m != nil {
		return by, m[1]
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("; \t\n", r) })
	running := false
	for _, w := range words {
		switch {
		case w == "run":
			running = true
			continue
		case !running:
			continue
		}
		if strings.Contains(w, "${target}") {
			for _, target := range strings.Fields(values["boot_targets"]) {
				if way, word := fetched(values, strings.ReplaceAll(w, "${target}", target), by); word != "" {
					return way, word
				}
			}
			continue
		}
		if _, ok := values[w]; !ok {
			running = false
			continue
		}
		if way, word := fetched(values, w, by); word != "" {
			return way, word
		}
	}
	return nil, ""
}
