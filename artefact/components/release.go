package components

import (
	"bytes"
	"strings"
)

// systems are the ids of os-release(5) that are known, with the vendor and product of their CPE.
var systems = map[string][2]string{
	"openwrt": {"openwrt", "openwrt"}, "debian": {"debian", "debian_linux"}, "ubuntu": {"canonical", "ubuntu_linux"},
	"alpine": {"alpinelinux", "alpine_linux"}, "raspbian": {"raspberrypi", "raspbian"}, "buildroot": {"buildroot", "buildroot"},
	"poky": {"yoctoproject", "yocto"}, "fedora": {"fedoraproject", "fedora"}, "lede": {"openwrt", "openwrt"},
}

// osRelease reads os-release(5).
func osRelease(data []byte) []Component {
	f := map[string]string{}
	for n, line := range bytes.Split(data[:min(len(data), 64<<10)], []byte("\n")) {
		if n > 1000 {
			break
		}
		key, value, ok := strings.Cut(string(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			f[strings.TrimSpace(key)] = plain(strings.Trim(strings.TrimSpace(value), `"'`))
		}
	}
	if f["ID"] == "" {
		return nil
	}
	c := Component{Name: f["ID"], Version: f["VERSION_ID"], Upstream: f["VERSION_ID"], Source: Release, Type: 'o', Supplier: f["VENDOR_NAME"]}
	if c.Version == "" {
		c.Version = f["VERSION"]
		c.Upstream = c.Version
	}
	if known, ok := systems[c.Name]; ok {
		c.Vendor, c.Product = known[0], known[1]
	}
	return []Component{c}
}
