package settings

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       *File
	}{
		{"etc/config/dropbear", "\nconfig dropbear 'main'\n\toption PasswordAuth 'on' # x\n\toption Port\t\"22\"\n# option X 'y'\n\tlist a b\n", &File{UCI, []Section{
			{Type: "dropbear", Name: "main", Line: 2, Values: []Value{{"PasswordAuth", "on", 3}, {"Port", "22", 4}, {"a", "b", 6}}},
		}}},
		{"etc/ssh/sshd_config", "#PermitRootLogin yes\nPasswordAuthentication no\nPort=22\nMatch User a\nPermitRootLogin yes\n", &File{SSH, []Section{
			{Values: []Value{{"passwordauthentication", "no", 2}, {"port", "22", 3}}},
		}}},
		{"etc/hostapd.conf", "interface=wlan0\nssid=a\nwpa=2\nbss=wlan0_0\nssid=b\n", &File{AccessPt, []Section{
			{Line: 1, Values: []Value{{"interface", "wlan0", 1}, {"ssid", "a", 2}, {"wpa", "2", 3}}},
			{Line: 4, Values: []Value{{"bss", "wlan0_0", 4}, {"ssid", "b", 5}}},
		}}},
		{"etc/miniupnpd/miniupnpd.conf", "secure_mode=no\nallow 0-65535 0.0.0.0/0 0-65535\n", &File{UPnP, []Section{
			{Values: []Value{{"secure_mode", "no", 1}, {"allow", "0-65535 0.0.0.0/0 0-65535", 2}}},
		}}},
		{"system/build.prop", "ro.debuggable=1\n", &File{Property, []Section{{Values: []Value{{"ro.debuggable", "1", 1}}}}}},
		{"etc/default/dropbear", "# X=1\nexport ARGS=\"-s -g\"\n", &File{Default, []Section{{Values: []Value{{"ARGS", "-s -g", 2}}}}}},
		{"x", "#\n# Linux/arm 5.4.0 Kernel Configuration\n#\nCONFIG_A=y\n# CONFIG_B is not set\n", &File{Kernel, []Section{{Values: []Value{{"CONFIG_A", "y", 4}, {"CONFIG_B", "n", 5}}}}}},
		{"etc/hosts", "a=b\n", nil},
		{"usr/share/doc/hostapd/examples/hostapd.conf", "ssid=test\n", nil},
	} {
		if diff := cmp.Diff(c.want, Parse(c.name, []byte(c.text))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// environment is a saved one of that size.
func environment(size int, flag bool, variables ...string) []byte {
	head := 4
	if flag {
		head = 5
	}
	b := make([]byte, size)
	if flag {
		b[4] = 1
	}
	copy(b[head:], strings.Join(variables, "\x00"))
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[head:]))
	return b
}

func TestEnvironments(t *testing.T) {
	variables := []string{"bootdelay=3", "baudrate=115200", "bootcmd=run boot_mmc", "boot_mmc=bootm 0x1000"}
	want := map[string]string{"bootdelay": "3", "baudrate": "115200", "bootcmd": "run boot_mmc", "boot_mmc": "bootm 0x1000"}
	built := []byte("U-Boot 2019.07\x00junk\x00arch=arm\x00" + strings.Join(variables, "\x00") + "\x00\x00more")
	damaged := environment(0x2000, false, variables...)
	damaged[0x1000] ^= 1
	for name, c := range map[string]struct {
		data  []byte
		at    int64
		saved bool
		n     int
	}{
		"saved":            {environment(0x2000, false, variables...), 4, true, 1},
		"saved, with flag": {environment(0x4000, true, variables...), 5, true, 1},
		"in the midst":     {append(bytes.Repeat([]byte{0xff}, 0x3000), append(environment(0x10000, true, variables...), make([]byte, 333)...)...), 0x3005, true, 1},
		"damaged":          {damaged, 4, false, 1},
		"two":              {append(environment(0x1000, true, variables...), environment(0x1000, true, variables...)...), 5, true, 2},
		"built in":         {built, 20, false, 1},
		"a text":           {[]byte("set bootcmd=x and bootdelay=3 in the environment"), 0, false, 0},
		"a name alone":     {[]byte("x\x00bootcmd=\x00bootdelay\x00"), 0, false, 0},
	} {
		got := Environments(c.data)
		if len(got) != c.n {
			t.Errorf("%s: %d environments, want %d", name, len(got), c.n)
			continue
		}
		if c.n == 0 {
			continue
		}
		e := got[0]
		delete(e.Values, "arch")
		if diff := cmp.Diff(want, e.Values); e.At != c.at || e.Saved != c.saved || diff != "" {
			t.Errorf("%s: at %d, saved %v (-want +got):\n%s", name, e.At, e.Saved, diff)
		}
	}
}

func FuzzSettings(f *testing.F) {
	for i, s := range []string{"config a 'b'\n\toption c d\n", "a b\nMatch x\n", "a=b\nbss=c\n", "\x00bootcmd=a\x00b=c\x00d=e\x00\x00"} {
		f.Add(i, []byte(s))
	}
	names := []string{"etc/config/x", "etc/sshd_config", "hostapd.conf", "miniupnpd.conf", "etc/default/x"}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		Parse(names[(i%5+5)%5], b)
		if got := Environments(b); len(got) > maxFound {
			t.Fatalf("%d environments", len(got))
		}
	})
}
