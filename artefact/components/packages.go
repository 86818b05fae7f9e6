package components

import (
	"bytes"
	"path"
	"strings"
)

// mostPackages is how many entries of a file are read: a full Debian desktop has 4,000.
const mostPackages = 50_000

// Files reads the components of a file that is known by its path: a package database, a release file, metadata of a package.
func Files(name string, data []byte) []Component {
	if len(data) > 64<<20 {
		return nil
	}
	base := path.Base(name)
	dir := "/" + path.Dir(name) + "/"
	switch {
	case base == "status" && strings.HasSuffix(dir, "/opkg/"), base == "status" && strings.HasSuffix(dir, "/ipkg/"):
		return control(data, OPKG)
	case strings.HasSuffix(base, ".control") && strings.HasSuffix(dir, "/opkg/info/"):
		return control(data, OPKG)
	case base == "status" && strings.HasSuffix(dir, "/dpkg/"):
		return control(data, DPKG)
	case strings.HasSuffix(dir, "/dpkg/status.d/") && !strings.HasSuffix(base, ".md5sums"):
		return control(data, DPKG)
	case base == "installed" && strings.HasSuffix(dir, "/apk/db/"):
		return apk(data)
	case base == "os-release" && (strings.HasSuffix(dir, "/etc/") || strings.HasSuffix(dir, "/usr/lib/")):
		return osRelease(data)
	case base == "package.json" && strings.Contains(dir, "/node_modules/"):
		return npm(name, data)
	case base == "METADATA" && strings.HasSuffix(dir, ".dist-info/"), base == "PKG-INFO" && strings.HasSuffix(dir, ".egg-info/"):
		return pypi(data)
	}
	return nil
}

// control reads paragraphs as in deb-control(5), of which opkg has a dialect. Those that are not installed are left out.
func control(data []byte, source Source) (all []Component) {
	for paragraph := range bytes.SplitSeq(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n\n")) {
		if len(all) >= mostPackages {
			break
		}
		f := fields(paragraph)
		if f["package"] == "" || f["version"] == "" {
			continue
		}
		if status := strings.Fields(f["status"]); len(status) == 3 && status[2] != "installed" {
			continue
		}
		c := Component{Name: f["package"], Version: f["version"], Source: source, Supplier: f["maintainer"], License: f["license"]}
		c.Origin, _, _ = strings.Cut(f["source"], " ")
		if source == OPKG { // the source of OpenWrt is a path, and that of Yocto a list of URLs
			c.Origin = f["sourcename"]
			if c.Origin == "" && strings.Contains(f["source"], "/") && !strings.Contains(f["source"], ":") {
				c.Origin = path.Base(f["source"])
			}
		}
		c.Upstream = upstreamOf(c.Version)
		c.identify()
		all = append(all, c)
	}
	return all
}

// fields are the lines of a paragraph by their names in lower case; lines that go on are left out.
func fields(paragraph []byte) map[string]string {
	const longest = 4 << 10
	f := map[string]string{}
	for line := range bytes.SplitSeq(paragraph, []byte("\n")) {
		if len(line) == 0 || line[0] == ' ' || line[0] == '\t' || len(line) > longest {
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) > 40 {
			continue
		}
		key := strings.ToLower(string(name))
		if _, twice := f[key]; !twice {
			f[key] = plain(string(value))
		}
	}
	return f
}

// upstreamOf takes off a version what the distribution adds: the epoch, the revision, and what it says of its own packing.
func upstreamOf(version string) string {
	if epoch, rest, ok := strings.Cut(version, ":"); ok && strings.Trim(epoch, "0123456789") == "" {
		version = rest
	}
	if i := strings.LastIndexByte(version, '-'); i > 0 {
		version = version[:i]
	}
	for _, mark := range []string{"+dfsg", "+ds", "~dfsg", "+deb", "+repack", "+really", ".dfsg"} {
		if before, _, ok := strings.Cut(version, mark); ok {
			version = before
		}
	}
	return version
}

// apk reads the database of installed packages, with a letter and a colon before each value.
func apk(data []byte) (all []Component) {
	for paragraph := range bytes.SplitSeq(data, []byte("\n\n")) {
		if len(all) >= mostPackages {
			break
		}
		c := Component{Source: APK, Distro: "alpine"}
		for line := range bytes.SplitSeq(paragraph, []byte("\n")) {
			if len(line) < 3 || line[1] != ':' {
				continue
			}
			value := plain(string(line[2:]))
			switch line[0] {
			case 'P':
				c.Name = value
			case 'V':
				c.Version = value
			case 'L':
				c.License = value
			case 'o':
				c.Origin = value
			case 'm':
				c.Supplier = value
			}
		}
		if c.Name == "" || c.Version == "" {
			continue
		}
		c.Upstream = c.Version
		if i := strings.LastIndex(c.Version, "-r"); i > 0 {
			c.Upstream = c.Version[:i]
		}
		c.identify()
		all = append(all, c)
	}
	return all
}
