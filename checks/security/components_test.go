package security

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/advisories"
	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

func component(source components.Source, product, version string) artefact.Component {
	root := &tree.Node{Name: "rootfs"}
	n := &tree.Node{Name: "bin/it", File: &tree.File{}, Parent: root}
	return artefact.Component{
		Component: components.Component{Name: product, Product: product, Version: version, Upstream: version, Source: source},
		Node:      n, Places: []string{n.Path()},
	}
}

func packaged(product, version, distro, release string) artefact.Component {
	c := component(components.DPKG, product, version)
	c.Origin, c.Distro, c.DistroVersion = product, distro, release
	c.Upstream, _, _ = strings.Cut(version, "-")
	return c
}

// severities of findings, with that of the check filled in.
func severities(c *check.Check, findings []check.Finding) string {
	var all []string
	for _, f := range findings {
		if f.Severity == "" {
			f.Severity = c.Severity
		}
		all = append(all, string(f.Severity))
	}
	return strings.Join(all, " ")
}

func TestJudgeExploited(t *testing.T) {
	kernel := component(components.Banner, "linux_kernel", "3.10.14")
	for name, c := range map[string]struct {
		c        artefact.Component
		harmless map[string]bool
		want     string
	}{
		"a version string":         {component(components.Banner, "openssl", "1.0.1e"), nil, "blocker"},
		"mended":                   {component(components.Banner, "openssl", "1.0.1g"), nil, ""},
		"stated as harmless":       {component(components.Banner, "openssl", "1.0.1e"), map[string]bool{"CVE-2014-0160": true}, ""},
		"a kernel":                 {kernel, nil, "major major major major major"},
		"a script":                 {component(components.Banner, "jquery", "1.12.4"), nil, "major"},
		"a package of a maker":     {packaged("openssl", "1.0.1e-2", "acme", "1"), nil, "major"},
		"a package of Debian":      {packaged("openssl", "1.0.1e-2+deb7u20", "debian", "7"), nil, "info"},
		"the library of all":       {component(components.Banner, "glibc", "2.36"), nil, "info"},
		"nothing known of project": {component(components.Banner, "", "1.0.1e"), nil, ""},
	} {
		if got := severities(ExploitedComponent, judgeExploited([]artefact.Component{c.c}, advisories.Bundled(), c.harmless)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

const openssl = `{"id":"DEBIAN-CVE-2026-0001","upstream":["CVE-2026-0001"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"Debian:12","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3.0.23-1~deb12u1"}]}]}]}`

// With entries of OSV it is the version of the distribution that counts.
func TestJudgeVulnerable(t *testing.T) {
	folder := fstest.MapFS{
		"a.json":   {Data: []byte(openssl)},
		"kev.json": {Data: []byte(`{"catalogVersion":"1","dateReleased":"2026-11-20","vulnerabilities":[{"cveID":"CVE-2026-0001","dateAdded":"2026-11-19"}]}`)},
	}
	l, err := advisories.Read(context.Background(), folder, func(string, string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	record := func(string, ...any) {}
	for name, c := range map[string]struct {
		version  string
		harmless map[string]bool
		want     string
		attacked string
	}{
		"old":                {"3.0.22-1~deb12u1", nil, "major", "blocker"},
		"mended":             {"3.0.23-1~deb12u1", nil, "", ""},
		"stated as harmless": {"3.0.22-1~deb12u1", map[string]bool{"CVE-2026-0001": true}, "", ""},
	} {
		all := []artefact.Component{packaged("openssl", c.version, "debian", "12")}
		looked, findings := judgeVulnerable(all, l, c.harmless, record)
		if got := severities(VulnerableComponent, findings); got != c.want || looked != 1 {
			t.Errorf("%s: %q of %d, want %q", name, got, looked, c.want)
		}
		if got := severities(ExploitedComponent, judgeExploited(all, l, c.harmless)); got != c.attacked {
			t.Errorf("%s: %q, want %q", name, got, c.attacked)
		}
	}
	all := []artefact.Component{packaged("openssl", "3.0.22-1~deb12u1", "debian", "12")}
	yes := map[string]bool{"CVE-2026-0001": true}
	for name, c := range map[string]struct {
		harmless, stated map[string]bool
		want             int
	}{"silent": {nil, nil, 1}, "harmed": {nil, yes, 1}, "harmless": {yes, yes, 0}} {
		if got := judgeStatements(all, l, c.harmless, c.stated); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestJudgeEnded(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	cip := component(components.Banner, "linux_kernel", "6.12.40")
	cip.Distro = "cip"
	for name, c := range map[string]struct {
		c               artefact.Component
		launch, support string
		want            string
		looked          int
	}{
		"ended":                      {component(components.Banner, "openssl", "1.1.1w"), "2026-11-26", "2030-01-01", "major", 1},
		"ends before the support":    {component(components.Banner, "openssl", "3.5.1"), "2026-11-26", "2034-01-01", "minor", 1},
		"outlives the support":       {component(components.Banner, "openssl", "3.5.1"), "2026-11-26", "2030-01-01", "", 1},
		"a package of a maker":       {packaged("openssl", "1.1.1w-1", "acme", "1"), "2026-11-26", "2030-01-01", "minor", 1},
		"a package of Debian":        {packaged("openssl", "1.1.1w-0+deb11u1", "debian", "11"), "2026-11-26", "2030-01-01", "", 0},
		"a kernel that is kept long": {cip, "2026-11-26", "2034-01-01", "", 1},
		"of no list":                 {component(components.Banner, "busybox", "1.20"), "2026-11-26", "2034-01-01", "", 0},
	} {
		looked, findings := judgeEnded([]artefact.Component{c.c}, advisories.Bundled(), day(c.launch), day(c.support))
		if got := severities(EndedComponent, findings); got != c.want || looked != c.looked {
			t.Errorf("%s: %q of %d, want %q of %d", name, got, looked, c.want, c.looked)
		}
	}
}

func TestJudgeListsAge(t *testing.T) {
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	for days, want := range map[int]string{1: "", 90: "", 91: "info info", 365: "info info", 366: "minor minor"} {
		at := now.AddDate(0, 0, -days)
		if got := severities(ListsAge, judgeListsAge(&advisories.Lists{ExploitedAt: at, LifetimesAt: at}, now)); got != want {
			t.Errorf("%d days: %q, want %q", days, got, want)
		}
	}
}

func TestJudgeSBOM(t *testing.T) {
	good := sbom.Declared{Name: "openssl", Version: "3.0.22", Supplier: "OpenSSL", PURL: "pkg:generic/openssl@3.0.22", Top: true}
	document := func(items ...sbom.Declared) *sbom.Document {
		return &sbom.Document{Format: "CycloneDX 1.6", Author: true, Time: true, Subject: "it", Related: true, Items: items}
	}
	f := &artefact.Facts{Beside: artefact.Beside{SBOM: &artefact.Paper{Name: "sbom.json"}}}
	libssl := packaged("openssl", "3.0.22-1", "debian", "12")
	libssl.Name = "libssl3"
	for name, c := range map[string]struct {
		items []sbom.Declared
		want  int
	}{
		"by its source":   {[]sbom.Declared{good}, 0},
		"by its purl":     {[]sbom.Declared{{Name: "x", PURL: "pkg:deb/debian/libssl3@3.0.22-1", Version: "3.0.22-1"}}, 0},
		"by its CPE":      {[]sbom.Declared{{Name: "x", CPE: "cpe:2.3:a:openssl:openssl:3.0.22:*:*:*:*:*:*:*"}}, 0},
		"another version": {[]sbom.Declared{{Name: "OpenSSL", Version: "3.0.9"}}, 1},
		"absent":          {[]sbom.Declared{{Name: "zlib", Version: "1"}}, 1},
	} {
		f.Components = []artefact.Component{libssl, component(components.Release, "debian_linux", "12")}
		if got := judgeSBOMComplete(f, document(c.items...)); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	without := good
	without.Supplier = ""
	for name, c := range map[string]struct {
		d    *sbom.Document
		want int
	}{
		"good":               {document(good), 0},
		"empty":              {document(), 1},
		"without a supplier": {document(good, without), 1},
		"without a head":     {&sbom.Document{Format: "SPDX 2.3", Items: []sbom.Declared{good}}, 1},
	} {
		if got := judgeSBOMQuality("sbom.json", c.d); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestJudgeLicencesAndComponentsTold(t *testing.T) {
	c := component(components.OPKG, "busybox", "1.36.1-1")
	c.License = "GPL-2.0"
	root := c.Node.Root()
	root.Children = []*tree.Node{c.Node, {Name: "etc/passwd", File: &tree.File{}, Parent: root}}
	f := &artefact.Facts{Root: root}
	f.Components = []artefact.Component{c}
	if looked, got := judgeLicences(f); looked != 1 || len(got) != 1 {
		t.Errorf("without a text: %d, %v", looked, got)
	}
	if got := judgeComponentsTold(f, systemRoots(root)); len(got) != 0 {
		t.Errorf("told: %v", got)
	}
	root.Children = append(root.Children, &tree.Node{Name: "usr/share/LICENSES.txt", File: &tree.File{}, Parent: root})
	if _, got := judgeLicences(f); len(got) != 0 {
		t.Errorf("with a text: %v", got)
	}
	f.Components = []artefact.Component{component(components.Release, "acme", "1")}
	if got := judgeComponentsTold(f, systemRoots(root)); len(got) != 1 {
		t.Errorf("not told: %v", got)
	}
}

func TestJudgeChanges(t *testing.T) {
	d := artefact.Difference{Old: "old.bin", New: "new.bin", Sections: []artefact.Section{
		{What: "setuid files", One: "setuid file", Gained: []string{"bin/a"}},
		{What: "components", One: "component", Changed: []string{"openssl 1 → 2", "zlib 1 → 2"}},
	}}
	var titles []string
	for _, f := range judgeChanges(d) {
		titles = append(titles, f.Title)
	}
	if got, want := strings.Join(titles, "; "), "Gains 1 setuid file since old.bin; Changes 2 components since old.bin"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
