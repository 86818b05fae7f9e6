package security

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SSHPassword looks for SSH servers that take passwords.
var SSHPassword = &check.Check{
	ID:       "security.ssh-password",
	Title:    "Lets nobody in over SSH with a password",
	Why:      "Passwords over SSH are guessed by the thousand an hour; a key of each unit cannot be.",
	Pass:     "every SSH server that the start reaches takes keys alone, and root only with one",
	Fix:      "PasswordAuthentication no, PermitRootLogin no or prohibit-password; of Dropbear -s, or PasswordAuth off in UCI.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.6-1", "CRA:I.2d", "ISTG:FW[INST]-AUTHZ-001"},
	Rows:         []string{"SVC-SSH"},
	Sources:      []string{"sshd_config(5): defaults", "dropbear(8): -s, -g, -w"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("commands that start something", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return len(f.Starts), judgeSSH(f.Starts, f.Settings, f.Accounts)
	}),
}

// judgeSSH finds servers that take passwords. Where every account of the image is locked, somebody has to set a password first.
func judgeSSH(starts []startup.Start, all []artefact.Settings, list []artefact.Account) (findings []check.Finding) {
	seen := map[string]bool{}
	for _, s := range starts {
		var why string
		switch s.Name() {
		case "dropbear":
			why = dropbear(s, of(s, all))
		case "sshd":
			if slices.ContainsFunc(s.Argv, func(w string) bool { return w == "-t" || w == "-T" || w == "-?" || w == "-V" }) {
				continue // it only looks at its configuration
			}
			why = openSSH(of(s, all))
		}
		if key := s.Node.Root().Path() + why; why == "" || seen[key] {
			continue
		} else {
			seen[key] = true
		}
		f := check.Finding{Title: "Takes passwords over SSH", Seen: fmt.Sprintf("%s; %s", s.Told(), why)}
		if s.When != "" || locked(list) {
			f.Severity = check.Minor
			f.Seen += "; every account of the image is locked or has no password"
			if s.When != "" {
				f.Seen = fmt.Sprintf("%s; %s", s.Told(), why)
			}
		}
		findings = append(findings, f)
	}
	return findings
}

// of are the settings of the file system in which something is started.
func of(s startup.Start, all []artefact.Settings) (own []artefact.Settings) {
	for _, f := range all {
		if f.Node.Root() == s.Node.Root() {
			own = append(own, f)
		}
	}
	return own
}

// locked reports whether accounts are known, and none has a password.
func locked(list []artefact.Account) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(a artefact.Account) bool {
		return a.Hash == "" || len(a.Hash) >= 13 && a.Hash[0] != '!' && a.Hash[0] != '*'
	})
}

// dropbear says how a Dropbear takes passwords; empty: it does not.
func dropbear(s startup.Start, all []artefact.Settings) string {
	for _, f := range all {
		if f.Kind != settings.UCI || path.Base(f.Node.Name) != "dropbear" {
			continue
		}
		for i := range f.Sections {
			section := &f.Sections[i]
			if section.Type != "dropbear" || section.Off("enable") {
				continue
			}
			if !section.Off("PasswordAuth") {
				return fmt.Sprintf("PasswordAuth is not off in line %d of %s", max(section.Line, section.LineOf("PasswordAuth")), f.Node.Name)
			}
		}
		return ""
	}
	words := slices.Clone(s.Argv[1:])
	for _, f := range all {
		if f.Kind == settings.Default && path.Base(f.Node.Name) == "dropbear" {
			for _, v := range f.Sections[0].Values {
				words = append(words, strings.Fields(v.Value)...)
			}
		}
	}
	for _, w := range words {
		if len(w) > 1 && w[0] == '-' && strings.Trim(w[1:], "BEFRTVabgijkmrsw") == "" && strings.Contains(w, "s") {
			return ""
		}
	}
	return "it is started without -s, which would refuse passwords"
}

// openSSH says how an OpenSSH server takes passwords; empty: it does not. The first value of a key holds, and the files of a folder are
// read before.
func openSSH(all []artefact.Settings) string {
	var files []artefact.Settings
	for _, f := range all {
		if f.Kind == settings.SSH {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b artefact.Settings) int {
		last := func(f artefact.Settings) int {
			return len(path.Base(f.Node.Name)) - len(strings.TrimSuffix(path.Base(f.Node.Name), "sshd_config"))
		}
		return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(a.Node.Name, b.Node.Name))
	})
	value := func(key, otherwise string) (string, string) {
		for _, f := range files {
			if v, ok := f.Sections[0].Get(key); ok {
				return strings.ToLower(v), fmt.Sprintf("line %d of %s", f.Sections[0].LineOf(key), f.Node.Name)
			}
		}
		return otherwise, "nothing says otherwise"
	}
	passwords, where := value("passwordauthentication", "yes")
	if passwords != "no" {
		root, _ := value("permitrootlogin", "prohibit-password")
		if root == "yes" {
			return "PasswordAuthentication is on, and PermitRootLogin too: " + where
		}
		return "PasswordAuthentication is on: " + where
	}
	if methods, _ := value("authenticationmethods", ""); methods == "publickey" {
		return ""
	}
	keyboard, where := value("kbdinteractiveauthentication", "")
	if keyboard == "" {
		keyboard, where = value("challengeresponseauthentication", "yes")
	}
	if pam, _ := value("usepam", "no"); pam == "yes" && keyboard != "no" {
		return "KbdInteractiveAuthentication is on, by which PAM asks for the password: " + where
	}
	return ""
}
