// Package startup finds out what a system starts: with power, when the network asks, and by the clock. It reads the tables and scripts of
// init programs as BusyBox, System V, OpenWrt, systemd and Android have them. Nothing is run: of scripts it follows what it understands,
// and says on what a command depends where that cannot be told.
package startup

import (
	"bytes"
	"fmt"
	"path"
	"strings"
)

// Kind is what sort of file starts something.
type Kind string

// The kinds.
const (
	Inittab Kind = "inittab"
	Shell   Kind = "shell script"
	Unit    Kind = "systemd unit"
	Crontab Kind = "crontab"
	Inetd   Kind = "inetd configuration"
	Android Kind = "Android init file"
)

// Command is one that is run.
type Command struct {
	Line int      // from 1
	Argv []string // the program and its arguments: wrappers such as nohup taken away, variables replaced that the file sets
	Text string   // as it is written, 200 bytes at most
	User string   // whose rights it has; empty: those of whoever starts it, which is root
	When string   // on what it depends; empty: nothing that is known. That a file is there is no condition.

	Terminal string // of inittab
	Action   string // of inittab: "respawn"
}

// Program is the base of the name of the program.
func (c Command) Program() string {
	if len(c.Argv) == 0 {
		return ""
	}
	return path.Base(c.Argv[0])
}

// File is what one file tells.
type File struct {
	Kind     Kind
	Commands []Command

	Service string // of a socket unit: the service that it starts, when it names one
}

const (
	maxFile     = 1 << 20 // bytes
	maxCommands = 20_000  // of a file
	maxText     = 200
)

// Parse reads a file by its path and first bytes; nil: it is none of these kinds. At most the first MiB is read.
func Parse(name string, data []byte) *File {
	kind := kindOf(name, data)
	if kind == "" {
		return nil
	}
	data = data[:min(len(data), maxFile)]
	if bytes.IndexByte(data, 0) >= 0 {
		return nil
	}
	text := string(data)
	f := &File{Kind: kind}
	switch kind {
	case Inittab:
		f.Commands = inittab(text)
	case Shell:
		f.Commands = shell(text, procd(text))
	case Unit:
		unit(f, text)
	case Crontab:
		f.Commands = crontab(text, path.Base(path.Dir(name)) != "crontabs")
	case Inetd:
		if strings.HasPrefix(path.Base(name), "x") || path.Base(path.Dir(name)) == "xinetd.d" {
			f.Commands = xinetd(text)
		} else {
			f.Commands = inetd(text)
		}
	case Android:
		f.Commands = android(text)
	}
	f.Commands = f.Commands[:min(len(f.Commands), maxCommands)]
	return f
}

func kindOf(name string, data []byte) Kind {
	base, folder := path.Base(name), path.Base(path.Dir(name))
	switch {
	case base == "inittab":
		return Inittab
	case strings.Contains(name, "systemd/") && (strings.HasSuffix(base, ".service") || strings.HasSuffix(base, ".socket") || strings.HasSuffix(base, ".timer")):
		return Unit
	case base == "crontab" || folder == "cron.d" || folder == "crontabs":
		return Crontab
	case base == "inetd.conf" || base == "xinetd.conf" || folder == "xinetd.d":
		return Inetd
	case strings.HasSuffix(base, ".rc") && (folder == "init" || strings.HasPrefix(base, "init.")):
		return Android
	case script(data):
		return Shell
	case base == "rcS" || base == "rc.local" || base == "rc.sysinit" || folder == "init.d" || runlevel(folder) && base[0] == 'S':
		if !bytes.HasPrefix(data, []byte("\x7fELF")) {
			return Shell
		}
	}
	return ""
}

// runlevel reports whether a folder holds links to what is started: rc.d, rcS.d, rc3.d.
func runlevel(folder string) bool {
	level, ok := strings.CutPrefix(folder, "rc")
	level, d := strings.CutSuffix(level, ".d")
	return ok && d && (level == "" || len(level) == 1 && strings.Contains("S2345", level))
}

// script reports whether data begin as a script for a shell does.
func script(data []byte) bool {
	line, _, _ := bytes.Cut(data[:min(len(data), 256)], []byte("\n"))
	rest, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		return false
	}
	for _, word := range bytes.Fields(rest) {
		switch path.Base(string(word)) {
		case "sh", "ash", "bash", "dash", "ksh", "mksh", "hush", "rc.common":
			return true
		}
	}
	return false
}

// procd reports whether a script is one of OpenWrt, whose functions others call.
func procd(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	return strings.HasPrefix(line, "#!") && strings.Contains(line, "rc.common")
}

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}

// Name is what the program is called as, without its folder.
func (s Start) Name() string { return s.Command.Program() }

// Told says what is run, where that stands, and what leads there.
func (s Start) Told() string {
	text := fmt.Sprintf("line %d of %s: %s", s.Line, s.Node.Path(), s.Text)
	if len(s.By) > 0 && s.By[len(s.By)-1] != s.Node.Name || len(s.By) > 1 {
		text += "; it is started by " + strings.Join(s.By, ", then ")
	}
	if s.When != "" {
		text += "; it depends on: " + s.When
	}
	return text
}
