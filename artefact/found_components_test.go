package artefact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// archived is a cpio archive (newc) of files: name, content, and so on.
func archived(files ...string) []byte {
	var b strings.Builder
	pad := func() {
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	for i := 0; i <= len(files); i += 2 {
		name, data, mode := "TRAILER!!!", "", 0
		if i < len(files) {
			name, data, mode = files[i], files[i+1], 0o100644
		}
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00", i+1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		pad()
		b.WriteString(data)
		pad()
	}
	return []byte(b.String())
}

func told(f *Facts) (all []string) {
	for _, c := range f.Components {
		all = append(all, fmt.Sprintf("%s %s %s %s %d", c.Name, c.Version, c.Source, c.Distro, len(c.Places)))
	}
	return all
}

func TestComponents(t *testing.T) {
	elf := func(text string) string { return "\x7fELF\x02\x01\x01\x00" + text + "\x00" }
	status := "Package: dnsmasq\nStatus: install ok installed\nVersion: 2.85-1\n\nPackage: libopenssl1.1\nStatus: install ok installed\nVersion: 1.1.1n-1\n"
	f := examined(t, archived(
		"etc/os-release", "ID=openwrt\nVERSION_ID=21.02.3\n",
		"usr/lib/opkg/status", status,
		"usr/lib/opkg/info/dnsmasq.control", "Package: dnsmasq\nVersion: 2.85-1\nLicense: GPL-2.0\n",
		"usr/sbin/dnsmasq", elf("dnsmasq-2.85"), // as the package
		"usr/lib/libcrypto.so", elf("OpenSSL 1.0.2k  26 Jan 2017\x00OPENSSLDIR: \"/etc/ssl\""), // not as the package
		"bin/busybox", elf("BusyBox v1.33.2 (2022)"),
		"bin/other", elf("BusyBox v1.33.2 (2022)"),
		"usr/share/doc/changes", "BusyBox v1.20.0 (2012)\n", // text
		"www/jquery.js", "/*! jQuery v1.12.4 | (c) jQuery Foundation */",
	))
	if diff := cmp.Diff([]string{
		"busybox 1.33.2 version string  2", "dnsmasq 2.85-1 opkg openwrt 2", "jquery 1.12.4 version string  1", "libopenssl1.1 1.1.1n-1 opkg openwrt 1",
		"openssl 1.0.2k version string  1", "openwrt 21.02.3 os-release  1",
	}, told(f)); diff != "" {
		t.Error(diff)
	}
	for _, c := range f.Components {
		if c.Name == "dnsmasq" && c.License != "GPL-2.0" || c.Name == "busybox" && len(c.SHA256) != 64 {
			t.Errorf("%+v", c)
		}
	}
}
