package security

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// BackdoorShell looks for shells that the system gives to the network.
var BackdoorShell = &check.Check{
	ID:       "security.backdoor-shell",
	Title:    "Gives no shell to the network without a login",
	Why:      "What was handy in the laboratory is a way in for everybody in the field, and those who scan for it find it within days.",
	Pass:     "no command that the start reaches binds a shell to a connection by nc, socat, telnetd -l, inetd or /dev/tcp",
	Fix:      "Take the line out. Where support needs access, use SSH with a key of its own for each unit.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.6-1", "CRA:I.2j", "ISTG:FW-CONF-002"},
	Rows:         []string{"SVC-BACKDOOR"},
	Sources:      []string{"nc(1): -e", "socat(1): EXEC", "telnetd: -l PROGRAM runs it in the place of login"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("commands that start something", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Starts), judgeBackdoors(f.Starts)
	}),
}

var shells = []string{"sh", "ash", "bash", "dash", "hush", "ksh", "mksh", "zsh", "busybox", "cmd"}

func isShell(word string) bool { return slices.Contains(shells, path.Base(word)) }

// judgeBackdoors finds commands that join a shell and the network.
func judgeBackdoors(starts []startup.Start) (findings []check.Finding) {
	for _, s := range starts {
		title := backdoor(s)
		if title == "" {
			continue
		}
		f := check.Finding{Title: title, Seen: s.Told()}
		if s.When != "" {
			f.Severity, f.Title = check.Major, title+" on a condition"
		}
		findings = append(findings, f)
	}
	return findings
}

// backdoor says what a command gives away; empty: nothing that is known.
func backdoor(s startup.Start) string {
	args := s.Argv[1:]
	value := func(option string) string { // of -e sh or -esh
		for i, w := range args {
			if w == option && i+1 < len(args) {
				return args[i+1]
			}
			if rest, ok := strings.CutPrefix(w, option); ok && rest != "" && len(option) == 2 {
				return rest
			}
		}
		return ""
	}
	switch name := s.Name(); {
	case name == "nc" || name == "ncat" || name == "netcat" || name == "nc.traditional":
		if run := strings.Fields(value("-e") + value("-c") + value("--exec") + value("--sh-exec")); len(run) == 0 || !isShell(run[0]) {
			return ""
		}
		if slices.ContainsFunc(args, func(w string) bool {
			return strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.Contains(w, "l") || w == "--listen"
		}) {
			return "Gives a shell to whoever connects"
		}
		return "Sends a shell to another host"
	case name == "socat":
		for _, w := range args {
			for _, kind := range []string{"EXEC:", "SYSTEM:", "exec:", "system:"} {
				_, run, ok := strings.Cut(w, kind)
				words := strings.FieldsFunc(run, func(r rune) bool { return strings.ContainsRune(", '\"", r) })
				if ok && len(words) > 0 && isShell(words[0]) {
					return "Gives a shell to whoever connects"
				}
			}
		}
	case slices.Contains(telnetServers, name):
		if l := value("-l"); isShell(l) {
			return "Gives a shell without a login over telnet"
		}
	case s.Socket() != "" && isShell(s.Argv[0]), name == "tcpsvd" && slices.ContainsFunc(args, isShell):
		return "Gives a shell to whoever connects"
	case strings.Contains(s.Text, "/dev/tcp/") && (isShell(s.Argv[0]) || name == "exec"):
		return "Sends a shell to another host"
	}
	return ""
}
