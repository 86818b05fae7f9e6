package startup

import (
	"path"
	"strings"
)

// unwrap takes the programs away that only run another one, and says whose rights that has, and, of shells with -c, what text they run.
// None is left of a command that only stops something.
func unwrap(argv []string) (rest []string, user, inner string) {
	for range 8 {
		if len(argv) == 0 {
			return nil, user, ""
		}
		switch base := path.Base(argv[0]); base {
		case "exec", "nohup", "setsid", "command", "builtin", "nice", "ionice", "stdbuf", "env", "chrt", "taskset", "time", "respawn":
			argv = behindOptions(argv[1:], base == "nice" || base == "ionice" || base == "taskset")
		case "timeout", "chroot":
			argv = behindOptions(argv[1:], false)
			argv = argv[min(1, len(argv)):]
		case "busybox", "toybox":
			if len(argv) == 1 || strings.HasPrefix(argv[1], "-") {
				return argv, user, ""
			}
			argv = argv[1:]
		case "service_start", "start_daemon", "daemonize":
			argv = behindOptions(argv[1:], false)
		case "daemon":
			argv, user = daemon(argv[1:])
		case "start-stop-daemon":
			argv, user = startStop(argv[1:])
			return argv, user, ""
		case "sudo", "runuser", "su", "doas", "chpst", "setuidgid":
			return as(base, argv)
		case "eval":
			return nil, user, strings.Join(argv[1:], " ")
		case "sh", "ash", "bash", "dash":
			if len(argv) > 2 && argv[1] == "-c" {
				return nil, user, argv[2]
			}
			return argv, user, ""
		default:
			return argv, user, ""
		}
	}
	return argv, user, ""
}

// behindOptions are the words behind options and assignments. With valued set, an option of two characters has its value behind it.
func behindOptions(argv []string, valued bool) []string {
	for len(argv) > 0 && (strings.HasPrefix(argv[0], "-") || assignment.MatchString(argv[0])) {
		if argv[0] == "--" {
			return argv[1:]
		}
		if valued && len(argv[0]) == 2 && len(argv) > 1 {
			argv = argv[1:]
		}
		argv = argv[1:]
	}
	return argv
}

// daemon is the function of Red Hat's scripts.
func daemon(argv []string) (rest []string, user string) {
	for len(argv) > 0 && (strings.HasPrefix(argv[0], "-") || strings.HasPrefix(argv[0], "+")) {
		if u, ok := strings.CutPrefix(argv[0], "--user="); ok {
			user = u
		}
		argv = argv[1:]
	}
	return argv, user
}

// startStop reads the options of start-stop-daemon(8); nil when it stops something.
func startStop(argv []string) (rest []string, user string) {
	program, starts := "", false
	for i := 0; i < len(argv); i++ {
		option, value, has := strings.Cut(argv[i], "=")
		next := func() string {
			if has {
				return value
			}
			if i+1 < len(argv) {
				i++
				return argv[i]
			}
			return ""
		}
		switch {
		case option == "--":
			rest = argv[i+1:]
			i = len(argv)
		case option == "--start":
			starts = true
		case option == "--stop" || option == "--status":
			return nil, ""
		case option == "--exec" || option == "--startas":
			program = next()
		case option == "--chuid" || option == "--user":
			user, _, _ = strings.Cut(next(), ":")
		case option == "--pidfile" || option == "--name" || option == "--chdir" || option == "--nicelevel" || option == "--signal" || option == "--retry" || option == "--group" || option == "--output" || option == "--umask" || option == "--procsched" || option == "--iosched":
			next()
		case strings.HasPrefix(option, "--"):
		case strings.HasPrefix(option, "-"):
			letters := argv[i][1:]
			for at, c := range letters {
				last := at == len(letters)-1
				switch c {
				case 'S':
					starts = true
				case 'K', 'T':
					return nil, ""
				}
				if !strings.ContainsRune("xacupndNsRgrkPIO", c) {
					continue
				}
				v := letters[at+1:]
				if last {
					has = false
					v = next()
				}
				switch c {
				case 'x', 'a':
					program = v
				case 'c', 'u':
					user, _, _ = strings.Cut(v, ":")
				}
				break
			}
		}
	}
	if program == "" || !starts {
		return nil, ""
	}
	return append([]string{program}, rest...), user
}

// as reads the programs that run another one with the rights of somebody.
func as(base string, argv []string) (rest []string, user, inner string) {
	argv = argv[1:]
	if base == "setuidgid" && len(argv) > 0 {
		return argv[1:], argv[0], ""
	}
	for len(argv) > 0 && strings.HasPrefix(argv[0], "-") {
		option := argv[0]
		argv = argv[1:]
		switch {
		case option == "--":
			if base == "su" {
				continue
			}
			return argv, user, inner
		case (option == "-u" || option == "-U") && base != "su" && len(argv) > 0:
			user, argv = argv[0], argv[1:]
		case option == "-c" && base != "sudo" && len(argv) > 0:
			inner, argv = argv[0], argv[1:]
		case option == "-s" && base != "sudo" && len(argv) > 0:
			argv = argv[1:]
		}
	}
	if base == "su" || base == "runuser" && inner != "" {
		if len(argv) > 0 {
			user = argv[0]
		}
		for i, w := range argv {
			if w == "-c" && i+1 < len(argv) {
				inner = argv[i+1]
			}
		}
		return nil, user, inner
	}
	return argv, user, inner
}
