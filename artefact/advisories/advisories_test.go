package advisories

import (
	"context"
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/versions"
)

func banner(product, version string) components.Component {
	return components.Component{Name: product, Product: product, Version: version, Upstream: version, Source: components.Banner}
}

func TestBundled(t *testing.T) {
	l := Bundled()
	ids := map[string]bool{}
	for _, e := range l.Exploited {
		ids[e.ID] = true
		if _, err := time.Parse(time.DateOnly, e.Added); err != nil || e.Before == "" || versions.Upstream.Compare(e.From, e.Before) >= 0 && e.From != "0" {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if len(ids) < 35 || len(l.Lifetimes) < 13 {
		t.Errorf("%d vulnerabilities, %d products", len(ids), len(l.Lifetimes))
	}
	for _, c := range []struct {
		product, version, id string
		attacked             bool
	}{
		{"openssl", "1.0.1f", "CVE-2014-0160", true},
		{"openssl", "1.0.1g", "", false},
		{"openssl", "1.0.2", "", false},
		{"openssl", "3.0.22", "", false},
		{"linux_kernel", "3.10.14", "CVE-2016-5195", true},
		{"linux_kernel", "3.10.104", "CVE-2016-5195", false},
		{"linux_kernel", "6.12.40", "", false},
		{"linux_kernel", "6.12.0", "CVE-2024-53104", true},
		{"linux_kernel", "5.10.101", "CVE-2024-53104", true},
		{"linux_kernel", "4.4.180", "CVE-2021-22555", true},
		{"linux_kernel", "4.4.302", "", false},
		{"linux_kernel", "4.19.325", "", false},
		{"linux_kernel", "5.15.172", "", false},
		{"erlang/otp", "25.3.2.19", "CVE-2025-32433", true},
		{"erlang/otp", "25.3.2.20", "", false},
		{"bash", "3.2.52", "CVE-2014-7169", true},
		{"linux_kernel", "6.1.140", "", false},
		{"bash", "4.3.11", "CVE-2014-6271", true},
		{"bash", "4.3.30", "", false},
		{"bash", "5.2.15", "", false},
		{"sudo", "1.9.5p1", "CVE-2021-3156", true},
		{"sudo", "1.9.5p2", "", false},
		{"sudo", "1.9.13p3", "", false},
		{"jquery", "1.12.4", "CVE-2020-11023", true},
		{"jquery", "3.5.0", "", false},
		{"goahead", "3.6.5", "", false},
		{"busybox", "1.0", "", false},
		{"http_server", "2.4.57", "", false},
		{"exim", "4.96", "", false},
		{"imagemagick", "6.9.11-60", "", false},
		{"php", "8.2.20", "", false},
	} {
		got := l.Attacks(banner(c.product, c.version))
		if c.attacked != (hasID(got, c.id) || c.id == "" && len(got) > 0) {
			t.Errorf("%s %s: %+v", c.product, c.version, got)
		}
	}
	for _, c := range []struct{ product, version, want string }{
		{"openssl", "1.1.1w", "1.1.1"},
		{"openssl", "3.0.22", "3.0"},
		{"openssl", "3.10.1", ""},
		{"openwrt", "21.02.3", "21.02"},
		{"jquery", "1.12.4", "1"},
		{"jquery", "3.7.1", ""},
		{"linux_kernel", "5.4.188", "5.4"},
		{"linux_kernel", "5.10.1", "5.10"},
		{"linux_kernel", "5.100.1", ""},
		{"python", "3.1.1", ""},
	} {
		if got, _ := l.Life(banner(c.product, c.version)); got.Name != c.want {
			t.Errorf("%s %s is of %q, want %q", c.product, c.version, got.Name, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	osv := func(id, ecosystem, name, events, more string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"id":"` + id + `","aliases":["CVE-2026-0001"],"affected":[{"package":{"ecosystem":"` + ecosystem + `","name":"` + name + `"},"ranges":[{"type":"ECOSYSTEM","events":[` + events + `]}]}]` + more + `}`)}
	}
	folder := fstest.MapFS{
		"kev.json":              {Data: []byte(`{"title":"x","catalogVersion":"2026.11.20","dateReleased":"2026-11-20T10:00:00.000Z","vulnerabilities":[{"cveID":"CVE-2026-0001","dateAdded":"2026-11-19"}]}`)},
		"eol/openssl.json":      {Data: []byte(`[{"cycle":"3.0","eol":"2027-01-01","latestReleaseDate":"2026-11-01"},{"cycle":"2","eol":true},{"cycle":"4.0","eol":false},{"cycle":5,"eol":"never"}]`)},
		"eol/v1.json":           {Data: []byte(`{"last_modified":"2026-11-02T00:00:00+00:00","result":{"name":"linux","releases":[{"name":"6.12","isEol":false,"eolFrom":"2028-12-31"},{"name":"6.13","isEol":true,"eolFrom":null}]}}`)},
		"osv/debian/a.json":     osv("DEBIAN-CVE-2026-0001", "Debian:12", "openssl", `{"introduced":"0"},{"fixed":"3.0.23-1~deb12u1"}`, `,"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`),
		"osv/debian/b.json":     osv("DEBIAN-CVE-2026-0002", "Debian:11", "openssl", `{"introduced":"0"}`, ``),
		"osv/npm/c.json":        osv("GHSA-x", "npm", "left", `{"introduced":"1.0.0"},{"last_affected":"1.5.0"}`, `,"database_specific":{"severity":"HIGH"}`),
		"osv/npm/unwanted.json": osv("GHSA-y", "npm", "other", `{"introduced":"0"}`, ``),
		"osv/npm/gone.json":     osv("GHSA-z", "npm", "left", `{"introduced":"0"}`, `,"withdrawn":"2026-01-01T00:00:00Z"`),
		"broken.json":           {Data: []byte("{")},
		"README.md":             {Data: []byte("x")},
	}
	l, err := Read(context.Background(), folder, func(_, name string) bool { return name != "other" })
	if err != nil {
		t.Fatal(err)
	}
	if l.ExploitedAt.Format(time.DateOnly) != "2026-11-20" || l.LifetimesAt.Format(time.DateOnly) != "2026-11-02" || l.Catalogue["CVE-2026-0001"] != "2026-11-19" || len(l.Notes) != 1 || l.Files != 5 {
		t.Errorf("%v %v %v %v %d", l.ExploitedAt, l.LifetimesAt, l.Catalogue, l.Notes, l.Files)
	}
	if c, ok := l.Life(banner("openssl", "3.0.2")); !ok || c.End.Year() != 2027 {
		t.Errorf("%+v", c)
	}
	if c, ok := l.Life(banner("linux_kernel", "6.13.1")); !ok || !c.Ended {
		t.Errorf("%+v", c)
	}
	deb := components.Component{Name: "libssl3", Origin: "openssl", Version: "3.0.22-1~deb12u1", Source: components.DPKG, Distro: "debian", DistroVersion: "12"}
	if got := l.Vulnerabilities(deb); len(got) != 1 || got[0].CVE() != "CVE-2026-0001" || !got[0].High() || got[0].Score != 9.8 {
		t.Errorf("%+v", got)
	}
	deb.Version = "3.0.23-1~deb12u1"
	if got := l.Vulnerabilities(deb); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	deb.Version, deb.DistroVersion = "1", ""
	if got := l.Vulnerabilities(deb); len(got) != 0 {
		t.Errorf("without a release: %+v", got)
	}
	for v, want := range map[string]int{"0.9.0": 0, "1.5.0": 1, "1.5.1": 0} {
		if got := l.Vulnerabilities(components.Component{Name: "left", Version: v, Source: components.NPM}); len(got) != want {
			t.Errorf("%s: %+v", v, got)
		}
	}
	if _, err := Read(context.Background(), fstest.MapFS{}, nil); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
}

// The scores are those of the examples that FIRST publishes for CVSS 3.1.
func TestScore(t *testing.T) {
	for vector, want := range map[string]float64{
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N": 6.5, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": 9.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H": 10, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N": 0,
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H": 7.8, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N": 7.5,
		"CVSS:4.0/AV:N": -1, "": -1, "CVSS:3.1/AV:N": -1,
	} {
		if got := cvss3(vector); got != want {
			t.Errorf("%s is %v, want %v", vector, got, want)
		}
	}
}

func FuzzTake(f *testing.F) {
	f.Add("kev.json", []byte(`{"catalogVersion":"1","dateReleased":"2026-11-20","vulnerabilities":[{"cveID":"CVE-1","dateAdded":"x"}]}`))
	f.Add("openssl.json", []byte(`[{"cycle":"3.0","eol":"2027-01-01"},{"cycle":5,"eol":true}]`))
	f.Add("v1.json", []byte(`{"last_modified":"2","result":{"name":"a","releases":[{"name":"1","eolFrom":null}]}}`))
	f.Add("a.json", []byte(`{"id":"A","affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":["1"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1"}]}]}],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}]}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		l := &Lists{Lifetimes: map[string][]Cycle{}}
		_ = l.take(name, data, func(string, string) bool { return true })
		if len(l.Vulnerable) > 0 {
			v := &l.Vulnerable[0]
			if s := v.Score; s > 10 || s != s || len(v.Ranges) > 2*mostRanges {
				t.Fatalf("%+v", v)
			}
			_, _ = v.CVE(), l.Vulnerabilities(components.Component{Name: v.Name, Version: "1", Source: components.NPM})
		}
		if n := len(l.Catalogue) + len(l.Vulnerable); n > len(data) {
			t.Fatalf("%d of %d bytes", n, len(data))
		}
		_, _ = json.Marshal(l)
	})
}
