package security

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// FileRights looks for programs that give away the rights of root.
var FileRights = &check.Check{
	ID:       "security.file-rights",
	Title:    "Gives nobody the rights of root by its files",
	Why:      "One hole in a service of little importance is then the whole device: a program that everybody may overwrite, or that runs as root for everybody, takes the intruder there.",
	Pass:     "no program is setuid or setgid but those that must be, and nobody but its owner can write to what the start runs or to the folders of programs and settings",
	Fix:      "chmod u-s,g-s and chmod o-w in the build; mount what can be written to with nosuid.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.6-7", "CRA:I.2k", "ISTG:FW[INST]-AUTHZ-002"},
	Rows:         []string{"SVC-SETUID"},
	Sources:      []string{"our list: programs that Debian, Alpine and OpenWrt ship setuid"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files with rights", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return judgeRights(f.Root, f.Starts)
	}),
}

// mayBeSetuid are programs that do not work without.
var mayBeSetuid = []string{
	"su", "sudo", "passwd", "login", "ping", "ping6", "traceroute6", "mount", "umount", "newgrp", "chsh", "chfn", "gpasswd", "chage", "expiry", "crontab", "at",
	"ssh-agent", "ssh-keysign", "dbus-daemon-launch-helper", "polkit-agent-helper-1", "pkexec", "fusermount", "fusermount3", "unix_chkpwd", "wall", "write", "bsd-write", "dotlockfile",
	"pam_timestamp_check", "pam_extrausers_chkpwd", "newuidmap", "newgidmap", "bbsuid", "busybox", "busybox.suid", "utempter", "mount.nfs", "mount.cifs", "ntfs-3g", "doas", "vlock", "chkpwd", "postdrop", "postqueue", "wodim",
}

// judgeRights finds files with too many rights. A file system that gives all rights to everything, as some packers leave it, is one finding.
func judgeRights(root *tree.Node, starts []startup.Start) (looked int, findings []check.Finding) {
	run := map[*tree.Node]bool{}
	for _, s := range starts {
		run[s.Node], run[s.Program] = true, true
	}
	var setuid, started, folders, programs []*tree.Node
	for n := range root.All() {
		if n.File == nil {
			continue
		}
		mode := n.File.Mode
		base := path.Base(n.Name)
		switch {
		case mode.IsRegular():
			looked++
			if mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && mode&0o111 != 0 && !slices.Contains(mayBeSetuid, base) {
				setuid = append(setuid, n)
			}
			if mode&0o002 != 0 && run[n] {
				started = append(started, n)
			} else if mode&0o002 != 0 && program(path.Dir(n.Name)) {
				programs = append(programs, n)
			}
		case mode.IsDir() && mode&0o002 != 0 && mode&fs.ModeSticky == 0 && (program(n.Name) || n.Name == "etc" || n.Name == "."):
			folders = append(folders, n)
		}
	}
	for _, c := range []struct {
		nodes       []*tree.Node
		title, seen string
	}{
		{setuid, "Gives everybody the rights of their owner with programs", "setuid or setgid"},
		{started, "Lets everybody overwrite what the start runs", "everybody may write to"},
		{programs, "Lets everybody overwrite programs", "everybody may write to"},
		{folders, "Lets everybody put files into folders of programs or settings", "everybody may write to"},
	} {
		if len(c.nodes) > 0 {
			findings = append(findings, check.Finding{Title: c.title, Seen: fmt.Sprintf("%d, %s: %s", len(c.nodes), c.seen, check.Places(c.nodes))})
		}
	}
	return looked, findings
}

// program reports whether a folder holds programs, libraries or scripts of init.
func program(folder string) bool {
	return slices.Contains([]string{"bin", "sbin", "lib", "init.d", "cgi-bin"}, path.Base(folder))
}
