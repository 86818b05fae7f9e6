package image

import "io/fs"

// The places of the programs of the thermostat.
const (
	daemon  = "usr/bin/thermostat"
	library = "usr/lib/libthermostat.so.2"
	busybox = "bin/busybox"
)

// application is the program of the thermostat, as the maker should build it.
func application() ELF {
	return ELF{
		Machine: 40, Interpreter: "/lib/ld-linux-armhf.so.3", RELRO: true, Now: true, RunPath: "/usr/lib/thermostat",
		Needed: []string{"libthermostat.so.2", "libc.so.6"},
		Imports: []string{
			"socket", "bind", "listen", "accept", "recv", "send", "memcpy", "snprintf", "printf", "strtol", "__snprintf_chk", "__stack_chk_fail", "posix_spawn",
		},
	}
}

// programs puts programs and libraries into a root file system.
func programs(r root) {
	r.program(daemon, application())
	r.program(library, ELF{Machine: 40, RELRO: true, Now: true, Needed: []string{"libc.so.6"}, Imports: []string{"memcpy", "__stack_chk_fail"}})
	r.program(busybox, ELF{
		Machine: 40, Interpreter: "/lib/ld-linux-armhf.so.3", RELRO: true, Now: true, Needed: []string{"libc.so.6"}, Imports: []string{"execve", "fork", "__printf_chk"},
	})
	for _, applet := range []string{"bin/sh", "bin/mount", "bin/login", "sbin/init", "sbin/getty", "sbin/ifup", "sbin/start-stop-daemon", "usr/sbin/crond"} {
		r.applet(applet)
	}
}

func (r root) program(path string, e ELF) { r[path] = entry{mode: 0o755, data: string(e.Bytes())} }

// applet is a name under which BusyBox is called.
func (r root) applet(path string) {
	r[path] = entry{mode: fs.ModeSymlink | 0o777, target: "/" + busybox}
}
