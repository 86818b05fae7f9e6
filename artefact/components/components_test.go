package components

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every row finds its example as a program holds it, and not what it must not be taken for.
func TestBanners(t *testing.T) {
	if len(banners) < 60 {
		t.Errorf("%d rows", len(banners))
	}
	for _, b := range banners {
		find := Programs
		if b.script {
			find = Scripts
		}
		i := strings.LastIndexByte(b.good, '|')
		text, version := b.good[:i], b.good[i+1:]
		for _, data := range []string{"\x00\x01" + text + "\x00" + b.also + "\x00", text + "\x00" + b.also, b.also + text} {
			if b.also != "" && data == b.also+text {
				data = b.also + "\x00" + text
			}
			hits := find([]byte(data))
			if len(hits) != 1 || hits[0].Product != b.product || hits[0].Version != version {
				t.Errorf("%s: %q gives %+v, want %s", b.product, data, hits, version)
			}
		}
		if hits := find([]byte("\x00" + b.bad + "\x00" + b.also + "\x00")); len(hits) != 0 {
			t.Errorf("%s: %q is taken for %+v", b.product, b.bad, hits)
		}
		if b.also != "" && len(find([]byte("\x00"+text+"\x00"))) != 0 {
			t.Errorf("%s: %q is enough by itself", b.product, text)
		}
	}
}

func TestKernel(t *testing.T) {
	for banner, want := range map[string]Component{
		"Linux version 3.10.14 (root@host) (gcc version 4.9) #1 Mon Jan 1": {Version: "3.10.14", Upstream: "3.10.14"},
		"Linux version 6.12.40-cip7 (b@h) (gcc 14.2.0) #1":                 {Version: "6.12.40-cip7", Upstream: "6.12.40", Distro: "cip"},
		"Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)\n": {
			Version: "6.1.0-18-amd64", Upstream: "6.1.76", Distro: "debian",
		},
	} {
		hits := Programs([]byte(banner))
		if len(hits) != 1 {
			t.Fatalf("%s: %+v", banner, hits)
		}
		got := hits[0].Component
		if got.Version != want.Version || got.Upstream != want.Upstream || got.Distro != want.Distro || got.Product != "linux_kernel" {
			t.Errorf("%s: %+v", banner, got)
		}
	}
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       []Component
	}{
		{"var/lib/dpkg/status", "Package: libssl3\nStatus: install ok installed\nMaintainer: Debian <a@b>\nSource: openssl\nVersion: 3.0.11-1~deb12u2\nDescription: x\n more: y\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n", []Component{
			{Name: "libssl3", Version: "3.0.11-1~deb12u2", Upstream: "3.0.11", Product: "openssl", Vendor: "openssl", Source: DPKG, Origin: "openssl", Supplier: "Debian <a@b>"},
		}},
		{"usr/lib/opkg/status", "Package: libopenssl1.1\nVersion: 1.1.1n-1\nStatus: install user installed\nArchitecture: mips\n\nPackage: kmod-usb\nVersion: 5.4.188-1\nStatus: install user installed\n", []Component{
			{Name: "libopenssl1.1", Version: "1.1.1n-1", Upstream: "1.1.1n", Product: "openssl", Vendor: "openssl", Source: OPKG},
			{Name: "kmod-usb", Version: "5.4.188-1", Upstream: "5.4.188", Source: OPKG},
		}},
		{"usr/lib/opkg/info/dropbear.control", "Package: dropbear\nVersion: 2022.83-1\nSource: package/network/services/dropbear\nSourceName: dropbear\nLicense: MIT\n", []Component{
			{Name: "dropbear", Version: "2022.83-1", Upstream: "2022.83", Product: "dropbear_ssh", Vendor: "dropbear_ssh_project", Source: OPKG, Origin: "dropbear", License: "MIT"},
		}},
		{"lib/apk/db/installed", "C:Q1\nP:busybox\nV:1.36.1-r2\nL:GPL-2.0-only\no:busybox\nm:A <a@b>\n\nP:musl\nV:1.2.4-r0\n\n", []Component{
			{Name: "busybox", Version: "1.36.1-r2", Upstream: "1.36.1", Product: "busybox", Vendor: "busybox", Source: APK, Distro: "alpine", Origin: "busybox", License: "GPL-2.0-only", Supplier: "A <a@b>"},
			{Name: "musl", Version: "1.2.4-r0", Upstream: "1.2.4", Product: "musl", Source: APK, Distro: "alpine"},
		}},
		{"etc/os-release", "# x\nID=openwrt\nVERSION_ID=\"21.02.3\"\n", []Component{{Name: "openwrt", Version: "21.02.3", Upstream: "21.02.3", Product: "openwrt", Vendor: "openwrt", Source: Release, Type: 'o'}}},
		{"app/node_modules/@a/b/package.json", `{"name":"@a/b","version":"1.2.3","license":{"type":"MIT"},"author":"x"}`, []Component{{Name: "@a/b", Version: "1.2.3", Upstream: "1.2.3", Source: NPM, License: "MIT", Supplier: "x"}}},
		{"app/node_modules/b/test/package.json", `{"name":"fixture","version":"1.2.3"}`, nil},
		{"usr/lib/python3/dist-packages/requests-2.28.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: requests\nVersion: 2.28.1\nLicense: Apache 2.0\n\nName: no\n", []Component{{Name: "requests", Version: "2.28.1", Upstream: "2.28.1", Source: PyPI, License: "Apache 2.0"}}},
		{"usr/share/doc/status", "Package: x\nVersion: 1\n", nil},
	} {
		if diff := cmp.Diff(c.want, Files(c.name, []byte(c.data))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		c         Component
		purl, cpe string
	}{
		{Component{Name: "libssl3", Version: "1:3.0+x~1", Upstream: "3.0", Product: "openssl", Vendor: "openssl", Source: DPKG, Distro: "debian"}, "pkg:deb/debian/libssl3@1:3.0%2Bx~1", "cpe:2.3:a:openssl:openssl:3.0:*:*:*:*:*:*:*"},
		{Component{Name: "@a/b", Version: "1.0.0", Source: NPM}, "pkg:npm/%40a/b@1.0.0", ""},
		{Component{Name: "golang.org/x/net", Version: "v0.1.0", Source: GoBuild}, "pkg:golang/golang.org/x/net@v0.1.0", ""},
		{Component{Name: "linux", Version: "5.4", Upstream: "5.4", Product: "linux_kernel", Vendor: "linux", Source: Banner, Type: 'o'}, "pkg:generic/linux@5.4", "cpe:2.3:o:linux:linux_kernel:5.4:*:*:*:*:*:*:*"},
	} {
		if got := c.c.PURL(); got != c.purl {
			t.Errorf("%s: %s, want %s", c.c.Name, got, c.purl)
		}
		if got := c.c.CPE(); got != c.cpe {
			t.Errorf("%s: %s, want %s", c.c.Name, got, c.cpe)
		}
	}
}

func FuzzFiles(f *testing.F) {
	for _, name := range []string{"var/lib/dpkg/status", "usr/lib/opkg/status", "lib/apk/db/installed", "etc/os-release", "node_modules/a/package.json", "x.dist-info/METADATA"} {
		f.Add(name, []byte("Package: a\nVersion: 1:2-3\nStatus: install ok installed\n\nP:a\nV:1\n\nID=a\n"))
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		all := Files(name, data)
		if len(all) > len(data) {
			t.Fatalf("%d components of %d bytes", len(all), len(data))
		}
		for _, c := range all {
			if len(c.PURL()) > 10_000 || strings.ContainsAny(c.Name+c.Version+c.License+c.Supplier, "\n\x00\x1b") {
				t.Fatalf("%+v", c)
			}
		}
	})
}

func FuzzPrograms(f *testing.F) {
	for _, b := range banners {
		f.Add([]byte(b.good + "\x00" + b.also))
	}
	f.Add([]byte(goMagic + "\x08\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := len(Programs(data)) + len(Scripts(data)); n > 2*mostHits {
			t.Fatalf("%d hits", n)
		}
		if len(Go(data)) > mostModules+1 {
			t.Fatal("too many modules")
		}
	})
}
