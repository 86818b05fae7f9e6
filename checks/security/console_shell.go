package security

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ConsoleShell looks for shells on the serial console that ask nobody who he is.
var ConsoleShell = &check.Check{
	ID:       "security.console-shell",
	Title:    "Asks for a login on its console",
	Why:      "Two wires on the board are then enough to be root, to copy the firmware and every secret in it.",
	Pass:     "no shell is started on a terminal without login, and no kernel command line starts a shell in the place of init",
	Fix:      "Start getty, or nothing at all, on the console of what is shipped.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-4A", "CRA:I.2j", "ISTG:INT[UART]-AUTHZ-001"},
	Rows:         []string{"SVC-UART-GETTY"},
	Sources:      []string{"BusyBox, examples/inittab: askfirst", "systemd: systemd.debug_shell"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("commands that start something, or arguments of a kernel", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Starts) + len(f.CommandLines), slices.Concat(judgeConsoles(f.Starts), judgeCommandLines(f.CommandLines))
	}),
}

// judgeConsoles finds terminals with a shell and no login.
func judgeConsoles(starts []startup.Start) (findings []check.Finding) {
	for _, s := range starts {
		title := openTerminal(s)
		if title == "" {
			continue
		}
		f := check.Finding{Title: title, Seen: s.Told()}
		if s.When != "" {
			f.Severity, f.Title = check.Minor, title+" on a condition"
		}
		findings = append(findings, f)
	}
	return findings
}

// openTerminal says what a command does with a terminal; empty: nothing that lets anybody in.
func openTerminal(s startup.Start) string {
	args := s.Argv[1:]
	terminal := s.Terminal
	if terminal == "" {
		terminal = "the console"
	}
	switch name := s.Name(); {
	case isShell(name) && s.Action != "" && s.Socket() == "":
		scripted := slices.ContainsFunc(args, func(w string) bool { return !strings.HasPrefix(w, "-") }) || s.Kind == startup.Shell && !strings.HasPrefix(s.Text, "exec ")
		if s.Kind != startup.Android && (s.Action == "respawn" || strings.HasPrefix(s.Action, "ask") || s.Action == "once") && !scripted {
			return "Gives a shell without a login on " + terminal
		}
	case name == "cttyhack" && len(args) > 0 && isShell(args[0]):
		return "Gives a shell without a login on " + terminal
	case strings.HasSuffix(name, "getty"):
		for i, w := range args {
			switch {
			case (w == "-l" || w == "--login-program") && i+1 < len(args) && isShell(args[i+1]):
				return "Gives a shell without a login on " + terminal
			case w == "-a" && name == "agetty", w == "--autologin", strings.HasPrefix(w, "--autologin="):
				return "Logs somebody in by itself on " + terminal
			}
		}
	case name == "login" && slices.Contains(args, "-f"):
		return "Logs somebody in by itself on " + terminal
	case s.Kind == startup.Unit && isShell(name) && s.Terminal != "" && len(args) == 0:
		return "Gives a shell without a login on " + terminal
	}
	return ""
}

// judgeCommandLines finds arguments of a kernel that give a shell to whoever sits at the console.
func judgeCommandLines(all []artefact.CommandLine) (findings []check.Finding) {
	for _, c := range all {
		for _, word := range strings.Fields(c.Text) {
			value, init := strings.CutPrefix(word, "init=")
			if init && isShell(value) || word == "systemd.debug_shell" || word == "systemd.debug_shell=1" || word == "single" {
				findings = append(findings, check.Finding{Title: "Boots into a shell", Seen: fmt.Sprintf("the arguments of the kernel in %s have %s", c.Node.Path(), word)})
			}
		}
	}
	return findings
}
