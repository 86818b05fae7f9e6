package startup

import (
	"slices"
	"strings"
	"unicode"
)

// lines calls see for every line that is no comment and not empty, and how it counts, from 1.
func lines(text string, see func(n int, line string)) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && n <= maxCommands {
			see(n, line)
		}
	}
}

// one are the commands of a line that a shell is given.
func one(n int, line, user string) (list []Command) {
	for _, c := range shell(line, false) {
		c.Line, c.Text = n, short(line)
		if c.User == "" {
			c.User = user
		}
		list = append(list, c)
	}
	return list
}

// inittab reads the table of BusyBox and System V: id:runlevels:action:process. Of the latter those count that are for a level in which
// a system runs.
func inittab(text string) (list []Command) {
	lines(text, func(n int, line string) {
		field := strings.SplitN(line, ":", 4)
		if len(field) < 4 {
			return
		}
		switch field[2] {
		case "sysinit", "wait", "once", "respawn", "askfirst", "boot", "bootwait", "respawnlate", "askconsole", "askconsolelate":
		default:
			return
		}
		if field[1] != "" && !strings.ContainsAny(field[1], "2345sS") {
			return
		}
		process := strings.TrimPrefix(field[3], "-") // a login shell
		if process == "" && strings.HasPrefix(field[2], "ask") {
			process = "/bin/sh"
		}
		for _, c := range one(n, process, "") {
			c.Terminal, c.Action, c.Text = field[0], field[2], short(line)
			list = append(list, c)
		}
	})
	return list
}

// crontab reads crontab(5); with users set, a user stands before the command.
func crontab(text string, users bool) (list []Command) {
	lines(text, func(n int, line string) {
		if assignment.MatchString(line) {
			return
		}
		times := 5
		if line[0] == '@' {
			times = 1
		}
		field := strings.Fields(line)
		user := ""
		if users {
			if len(field) <= times {
				return
			}
			user = field[times]
			times++
		}
		if len(field) <= times {
			return
		}
		for range times {
			line = strings.TrimLeftFunc(line[strings.IndexFunc(line, unicode.IsSpace):], unicode.IsSpace)
		}
		command, _, _ := strings.Cut(line, "%")
		list = append(list, one(n, command, user)...)
	})
	return list
}

// inetd reads inetd.conf(5): service, socket, protocol, wait, user, program, arguments.
func inetd(text string) (list []Command) {
	lines(text, func(n int, line string) {
		field := strings.Fields(line)
		if len(field) < 6 || field[5] == "internal" {
			return
		}
		argv := []string{field[5]}
		if len(field) > 7 {
			argv = append(argv, field[7:]...)
		}
		if strings.HasSuffix(field[5], "tcpd") && len(field) > 6 {
			argv[0] = field[6]
		} else if base := field[5]; strings.HasSuffix(base, "busybox") && len(field) > 6 {
			argv[0] = field[6]
		}
		user, _, _ := strings.Cut(field[4], ".")
		list = append(list, Command{Line: n, Argv: argv, Text: short(line), User: user, Action: "inetd " + field[0]})
	})
	return list
}

// xinetd reads the blocks of xinetd.conf(5).
func xinetd(text string) (list []Command) {
	var c Command
	service, disabled := "", false
	lines(text, func(n int, line string) {
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(line, "service "):
			c, service, disabled = Command{Line: n, Text: short(line)}, strings.Fields(line)[1], false
		case key == "disable":
			disabled = value == "yes"
		case key == "user":
			c.User = value
		case key == "server":
			c.Argv = append([]string{value}, c.Argv...)
		case key == "server_args":
			c.Argv = append(c.Argv, strings.Fields(value)...)
		case line == "}":
			if service != "" && !disabled && len(c.Argv) > 0 {
				c.Action = "inetd " + service
				list = append(list, c)
			}
			service = ""
		}
	})
	return list
}

// unit reads a unit of systemd, as systemd.service(5) and systemd.socket(5) describe it.
func unit(f *File, text string) {
	section, user, terminal := "", "", ""
	text = strings.ReplaceAll(text, "\\\n", " ")
	lines(text, func(n int, line string) {
		if line[0] == '[' || line[0] == ';' {
			section = line
			return
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case section == "[Service]" && key == "User":
			user = value
		case section == "[Service]" && key == "TTYPath":
			terminal = strings.TrimPrefix(value, "/dev/")
		case section == "[Socket]" && key == "Service":
			f.Service = value
		case section == "[Service]" && (key == "ExecStart" || key == "ExecStartPre" || key == "ExecStartPost"):
			for _, c := range one(n, strings.TrimLeft(value, "-@:+!"), "") {
				c.Text = short(line)
				f.Commands = append(f.Commands, c)
			}
		}
	})
	for i := range f.Commands {
		if f.Commands[i].User == "" {
			f.Commands[i].User = user
		}
		f.Commands[i].Terminal = terminal
	}
}

// android reads the services of Android's init language (system/core/init/README.md). One that is disabled counts when an action starts
// it; the condition of that is told.
func android(text string) (list []Command) {
	services := map[string]int{}
	disabled := map[string]bool{}
	when := map[string][]string{}
	started := map[string]bool{}
	current, trigger := "", ""
	lines(text, func(n int, line string) {
		w := strings.Fields(line)
		switch {
		case w[0] == "service" && len(w) >= 3:
			current, trigger = w[1], ""
			services[current] = len(list)
			list = append(list, Command{Line: n, Argv: w[2:], Text: short(line), Action: "service " + w[1]})
		case w[0] == "on":
			current, trigger = "", strings.Join(w[1:], " ")
		case current != "" && w[0] == "disabled":
			disabled[current] = true
		case current != "" && w[0] == "user" && len(w) > 1:
			list[services[current]].User = w[1]
		case trigger != "" && (w[0] == "start" || w[0] == "restart") && len(w) > 1:
			started[w[1]] = true
			if strings.Contains(trigger, "property:") {
				when[w[1]] = append(when[w[1]], trigger)
			}
		case trigger != "" && w[0] == "exec" && len(w) > 2:
			if i := slices.Index(w, "--"); i > 0 && i+1 < len(w) {
				list = append(list, Command{Line: n, Argv: w[i+1:], Text: short(line)})
			}
		}
	})
	var live []Command
	for _, c := range list {
		name, service := strings.CutPrefix(c.Action, "service ")
		if service && disabled[name] && !started[name] {
			continue
		}
		if service && disabled[name] {
			c.When = joined(when[name])
		}
		live = append(live, c)
	}
	return live
}

// Socket is what an inetd configuration calls the service of a command: "telnet".
func (c Command) Socket() string {
	name, ok := strings.CutPrefix(c.Action, "inetd ")
	if !ok {
		return ""
	}
	return name
}
