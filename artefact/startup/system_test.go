package startup

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// started lists what a file system starts. A file is its text; "-> x" is a link, and "!" before it takes away the right to be run.
func started(files map[string]string) (list []string) {
	root := &tree.Node{Name: "rootfs"}
	var read []Read
	for name, text := range files {
		f := &tree.File{Mode: 0o755}
		n := &tree.Node{Name: name, File: f, Parent: root}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			f.Mode, f.Target = fs.ModeSymlink|0o777, target
		} else if rest, ok := strings.CutPrefix(text, "!"); ok {
			f.Mode, text = 0o644, rest
		}
		root.Children = append(root.Children, n)
		if file := Parse(name, []byte(text)); file != nil && f.Mode.IsRegular() {
			read = append(read, Read{file, n})
		}
	}
	for _, s := range Started(read) {
		text := s.By[0] + ": " + told([]Command{s.Command})[0]
		if s.Terminal != "" {
			text += " on " + s.Terminal
		}
		list = append(list, text)
	}
	return list
}

func TestStarted(t *testing.T) {
	box := func(more map[string]string) map[string]string {
		all := map[string]string{"bin/busybox": "\x7fELF", "bin/sh": "-> busybox", "usr/sbin/telnetd": "-> ../../bin/busybox", "usr/sbin/httpd": "\x7fELF"}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	const telnet = "#!/bin/sh\ncase $1 in start) telnetd;; esac\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"inittab": {box(map[string]string{"etc/inittab": "#::respawn:telnetd\n::respawn:telnetd -F\nttyS0::askfirst:-/bin/sh\n::shutdown:httpd\nT0:6:respawn:telnetd\n"}), []string{
			"etc/inittab: telnetd -F", "etc/inittab: /bin/sh on ttyS0",
		}},
		"rcS and what it calls": {box(map[string]string{"etc/init.d/rcS": "#!/bin/sh\n/etc/start.sh &\n", "etc/start.sh": "#!/bin/sh\n. /etc/lib.sh\n", "etc/lib.sh": "#!/bin/sh\ntelnetd\n"}), []string{"etc/init.d/rcS: telnetd"}},
		"not enabled":           {box(map[string]string{"etc/init.d/telnet": telnet}), nil},
		"numbered":              {box(map[string]string{"etc/init.d/S50telnet": telnet}), []string{"etc/init.d/S50telnet: telnetd"}},
		"numbered, not to run":  {box(map[string]string{"etc/init.d/S50telnet": "!" + telnet}), nil},
		"linked":                {box(map[string]string{"etc/init.d/telnet": telnet, "etc/rc.d/S50telnet": "-> ../init.d/telnet", "etc/rc.d/K10telnet": "-> ../init.d/telnet"}), []string{"etc/rc.d/S50telnet: telnetd"}},
		"only killed":           {box(map[string]string{"etc/init.d/telnet": telnet, "etc/rc0.d/K10telnet": "-> ../init.d/telnet"}), nil},
		"of another level":      {box(map[string]string{"etc/init.d/telnet": telnet, "etc/rc6.d/S10telnet": "-> ../init.d/telnet"}), nil},
		"program is not there":  {box(map[string]string{"etc/init.d/S50x": "#!/bin/sh\nftpd\n"}), nil},
		"an applet by BusyBox":  {box(map[string]string{"etc/init.d/S50x": "#!/bin/sh\nbusybox ftpd &\n"}), []string{"etc/init.d/S50x: ftpd"}},
		"if a file is there":    {box(map[string]string{"etc/a": "x", "etc/init.d/S50x": "#!/bin/sh\n[ -f /etc/a ] && httpd\n[ -f /etc/b ] && telnetd\n[ -f /etc/b ] || telnetd -a\n[ -f /mnt/b ] && telnetd -b\n"}), []string{"etc/init.d/S50x: httpd", "etc/init.d/S50x: telnetd -a", "etc/init.d/S50x: telnetd -b when [ -f /mnt/b ]"}},
		"no root file system":   {map[string]string{"etc/init.d/S50x": "#!/bin/sh\nftpd\n"}, []string{"etc/init.d/S50x: ftpd"}},
		"cron":                  {box(map[string]string{"etc/crontabs/root": "# * * * * * httpd\n*/5 * * * * telnetd\n", "etc/cron.d/x": "@reboot nobody httpd\nPATH=/x\n"}), []string{"etc/cron.d/x: httpd as nobody", "etc/crontabs/root: telnetd"}},
		"inetd that runs":       {box(map[string]string{"etc/inittab": "::respawn:inetd -f\n", "usr/sbin/inetd": "\x7fELF", "etc/inetd.conf": "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -i\n#ftp stream tcp nowait root /usr/sbin/httpd x\n"}), []string{"etc/inetd.conf: /usr/sbin/telnetd -i as root", "etc/inittab: inetd -f"}},
		"inetd that does not":   {box(map[string]string{"etc/inetd.conf": "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -i\n"}), nil},
		"xinetd":                {map[string]string{"etc/xinetd.d/telnet": "service telnet\n{\n disable = no\n user = root\n server = /usr/sbin/telnetd\n server_args = -h\n}\n", "etc/xinetd.d/ftp": "service ftp\n{\n disable = yes\n server = /usr/sbin/ftpd\n}\n"}, []string{"etc/xinetd.d/telnet: /usr/sbin/telnetd -h as root"}},
		"systemd":               {box(map[string]string{"lib/systemd/system/a.service": "[Service]\nUser=www\nExecStart=-/usr/sbin/httpd -f\n", "etc/systemd/system/multi-user.target.wants/a.service": "-> /lib/systemd/system/a.service", "lib/systemd/system/b.service": "[Service]\nExecStart=/usr/sbin/telnetd\n"}), []string{"etc/systemd/system/multi-user.target.wants/a.service: /usr/sbin/httpd -f as www"}},
		"systemd socket":        {box(map[string]string{"lib/systemd/system/t.socket": "[Socket]\nListenStream=23\nAccept=yes\n", "lib/systemd/system/t@.service": "[Service]\nExecStart=/usr/sbin/telnetd -i\n", "etc/systemd/system/sockets.target.wants/t.socket": "-> /lib/systemd/system/t.socket"}), []string{"etc/systemd/system/sockets.target.wants/t.socket: /usr/sbin/telnetd -i"}},
		"systemd masked":        {box(map[string]string{"lib/systemd/system/b.service": "[Service]\nExecStart=/usr/sbin/telnetd\n", "lib/systemd/system/multi-user.target.wants/b.service": "-> ../b.service", "etc/systemd/system/b.service": "-> /dev/null"}), nil},
		"android":               {map[string]string{"init.rc": "on boot\n  start late\nservice adbd /sbin/adbd --root\n  disabled\nservice late /system/bin/a\n  disabled\nservice b /system/bin/b\n  user shell\non property:ro.debuggable=1\n  start adbd\nservice c /c\n  disabled\n"}, []string{"init.rc: /sbin/adbd --root when property:ro.debuggable=1", "init.rc: /system/bin/a", "init.rc: /system/bin/b as shell"}},
		"a loop":                {box(map[string]string{"etc/rcS": "#!/bin/sh\n/etc/a.sh\ntelnetd\n", "etc/a.sh": "#!/bin/sh\n/etc/rcS\n", "x": "-> y", "y": "-> x"}), []string{"etc/rcS: telnetd"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, started(c.files)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	names := []string{"etc/inittab", "etc/crontab", "etc/inetd.conf", "etc/xinetd.d/x", "lib/systemd/system/x.service", "init.rc", "etc/init.d/x"}
	for i := range names {
		f.Add(i, "id:3:respawn:/bin/x\n* * * * * root x\na b c d root /x x -i\nservice a /b\n{\nserver = x\n}\n[Service]\nExecStart=x \\\n y\n")
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		name := names[(i%len(names)+len(names))%len(names)]
		started(map[string]string{name: text, "bin/sh": text})
	})
}
