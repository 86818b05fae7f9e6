// Package components tells what third-party software a content is made of: entries of package databases, release files, build information,
// and version strings of programs.
package components

import (
	"net/url"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/versions"
)

// Source is how a component was told.
type Source string

// The sources.
const (
	DPKG    Source = "dpkg"       // database of dpkg
	OPKG    Source = "opkg"       // database of opkg
	APK     Source = "apk"        // database of apk
	Release Source = "os-release" // the system itself
	Banner  Source = "version string"
	GoBuild Source = "go build information"
	NPM     Source = "npm"
	PyPI    Source = "python metadata"
	MCU     Source = "app descriptor"
)

// Component is a piece of software with its version.
type Component struct {
	Name          string // as its source calls it
	Version       string // as its source tells it
	Product       string // the project that it comes from, as vulnerability lists call it; empty: not known
	Upstream      string // version of the project, without what a distribution adds
	Source        Source
	Distro        string // who built it, where that is told: id of the distribution, such as "debian"
	DistroVersion string // of packages: release of the distribution, such as "12"
	Origin        string // of packages: the source package
	Supplier      string
	License       string // as its source tells it
	Vendor        string // for the CPE; empty: not known
	Type          byte   // of the CPE: 'a', or 'o' for a kernel or system
}

// Packaged reports whether a distribution built it, which may have mended it without a new version of the project.
func (c Component) Packaged() bool { return c.Source == DPKG || c.Source == OPKG || c.Source == APK }

// Scheme is the order of its Version.
func (c Component) Scheme() versions.Scheme {
	switch c.Source {
	case DPKG, OPKG:
		return versions.Debian
	case APK:
		return versions.Alpine
	case NPM, GoBuild:
		return versions.SemVer
	case PyPI:
		return versions.Python
	}
	return versions.Upstream
}

// PURL is its package URL, by the purl specification; empty where there is none for it.
func (c Component) PURL() string {
	name, version := url.PathEscape(strings.ToLower(c.Name)), url.QueryEscape(c.Version)
	version = strings.ReplaceAll(strings.ReplaceAll(version, "+", "%20"), "%3A", ":")
	space := ""
	if c.Distro != "" {
		space = url.PathEscape(c.Distro) + "/"
	}
	at := ""
	if version != "" {
		at = "@" + version
	}
	switch c.Source {
	case DPKG:
		return "pkg:deb/" + space + name + at
	case OPKG:
		return "pkg:opkg/" + space + name + at
	case APK:
		return "pkg:apk/" + space + name + at
	case GoBuild:
		segments := strings.Split(c.Name, "/")
		for i := range segments {
			segments[i] = url.PathEscape(segments[i])
		}
		return "pkg:golang/" + strings.Join(segments, "/") + at
	case NPM:
		if scope, rest, ok := strings.Cut(c.Name, "/"); ok && strings.HasPrefix(scope, "@") {
			return "pkg:npm/%40" + url.PathEscape(scope[1:]) + "/" + url.PathEscape(rest) + at
		}
		return "pkg:npm/" + name + at
	case PyPI:
		return "pkg:pypi/" + strings.ReplaceAll(name, "_", "-") + at
	case Banner, MCU, Release:
		return "pkg:generic/" + name + at
	}
	return ""
}

// CPE is its name in the Common Platform Enumeration 2.3; empty where the vendor is not known.
func (c Component) CPE() string {
	if c.Vendor == "" || c.Product == "" {
		return ""
	}
	kind := c.Type
	if kind == 0 {
		kind = 'a'
	}
	version := c.Upstream
	if version == "" {
		version = "*"
	}
	return "cpe:2.3:" + string(kind) + ":" + escapeCPE(c.Vendor) + ":" + escapeCPE(c.Product) + ":" + escapeCPE(version) + ":*:*:*:*:*:*:*"
}

// escapeCPE writes a value as in a formatted string of CPE 2.3.
func escapeCPE(s string) string {
	if s == "*" {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c | 0x20)
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-':
			b.WriteByte(c)
		case c > ' ' && c < 0x7f:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}

// plain is text from a content as it can be shown: one line without control characters, of bounded length.
func plain(s string) string {
	const longest = 200
	s = strings.ToValidUTF8(strings.TrimSpace(s), "")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e {
			return -1
		}
		return r
	}, s)
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return s
}
