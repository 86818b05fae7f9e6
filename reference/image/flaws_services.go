package image

import (
	"io/fs"
	"strings"
)

// serviceFlaws are those of what is started, and of what was left from development.
var serviceFlaws = []flaw{
	{"firmware-telnet", func(r root) { r.daemon("S60telnet", "-x /usr/sbin/telnetd -- -F") }},
	{"firmware-telnet-inetd", func(r root) {
		r.applet("usr/sbin/inetd")
		r.daemon("S60inetd", "-x /usr/sbin/inetd")
		r.file("etc/inetd.conf", "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -i\n")
	}},
	{"firmware-telnet-cron", func(r root) { r.file("etc/crontabs/root", "*/5 * * * * pidof telnetd || telnetd\n") }},
	{"firmware-backdoor-shell", func(r root) {
		r.applet("usr/bin/nc")
		r.script("etc/init.d/S99debug", "# for the laboratory\nwhile true; do nc -l -p 4444 -e /bin/sh; done &\n")
	}},
	{"firmware-telnet-shell", func(r root) { r.daemon("S60telnet", "-x /usr/sbin/telnetd -- -p 9527 -l /bin/sh") }},
	{"firmware-ftp", func(r root) {
		r.applet("usr/bin/tcpsvd")
		r.script("etc/init.d/S60ftp", "tcpsvd -vE 0.0.0.0 21 ftpd -w /data &\n")
	}},
	{"firmware-ssh-password", func(r root) { r.daemon("S40dropbear", "-x /usr/sbin/dropbear -- -R") }},
	{"firmware-android-debug", func(r root) { r.change("system/build.prop", "ro.debuggable=0", "ro.debuggable=1") }},
	{"firmware-console-shell", func(r root) { r.change("etc/inittab", "#ttyS0::askfirst", "ttyS0::askfirst") }},
	{"firmware-boot-shell", func(r root) {
		r.environment("bootdelay=-2", "bootargs=console=ttyS0 init=/bin/sh", "bootcmd=bootm 0x80000000")
	}},
	{"firmware-uboot-console", func(r root) { r.environment("bootdelay=3", "bootcmd=bootm 0x80000000") }},
	{"firmware-uboot-network", func(r root) {
		r.environment("bootdelay=-2", "bootcmd=run net_boot || run flash_boot", "flash_boot=bootm 0x80000000", "net_boot=dhcp ${loadaddr}; bootm")
	}},
	{"firmware-debug-tools", func(r root) {
		r.program("usr/bin/gdbserver", ELF{Machine: 40, Interpreter: "/lib/ld-linux-armhf.so.3", RELRO: true, Now: true})
	}},
	{"firmware-upnp-open", func(r root) { r.change("etc/config/upnpd", "secure_mode '1'", "secure_mode '0'") }},
	{"firmware-web-command", func(r root) { r.change("www/cgi-bin/ping", " | tr -cd 0-9.", "") }},
	{"firmware-wifi-open", func(r root) { r.file("etc/hostapd.conf", "interface=wlan0\nssid=thermostat\n") }},
	{"firmware-setuid", func(r root) {
		e := ELF{Machine: 40, Interpreter: "/lib/ld-linux-armhf.so.3", RELRO: true, Now: true}
		r["usr/bin/thermostat-reset"] = entry{mode: 0o755 | fs.ModeSetuid, data: string(e.Bytes())}
	}},
	{"firmware-world-writable", func(r root) {
		e := r["etc/init.d/S50thermostat"]
		e.mode = 0o777
		r["etc/init.d/S50thermostat"] = e
	}},
	{"firmware-root-daemon", func(r root) { r.change("etc/init.d/S50thermostat", "-c thermostat ", "") }},
	{"firmware-kernel-debug", func(r root) {
		r.change("boot/config-6.12.40", "# CONFIG_KGDB is not set", "CONFIG_KGDB=y")
		r.change("boot/config-6.12.40", "CONFIG_STRICT_DEVMEM=y", "# CONFIG_STRICT_DEVMEM is not set")
	}},
}

// change replaces a text of a file.
func (r root) change(path, from, to string) {
	e := r[path]
	e.data = strings.ReplaceAll(e.data, from, to)
	r[path] = e
}

// banner is what the kernel says of itself.
func banner(has func(defect string) bool) string {
	if has("firmware-old-kernel") {
		return "Linux version 4.4.60 (builder@reference) (gcc 5.4.0) #1 SMP Thu Apr 20 10:00:00 UTC 2017\n"
	}
	return "Linux version 6.12.40-cip7 (builder@reference) (gcc 14.2.0) #1 Tue Sep 1 00:00:00 UTC 2026\n"
}
