package advisories

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/versions"
)

// Vulnerability is an entry in the OSV schema for one package.
type Vulnerability struct {
	ID        string
	Aliases   []string // ids of the same elsewhere, in upper case
	Summary   string
	Score     float64 // of CVSS, 0 to 10; below zero: not told
	Rated     string  // in words, where no score is told: "HIGH"
	Ecosystem string  // "Debian:12", "npm"
	Name      string
	Ranges    []versions.Range
	Versions  []string // named one by one
}

// CVE is the id by which others know it, or its own.
func (v *Vulnerability) CVE() string {
	for _, id := range append([]string{v.ID}, v.Aliases...) {
		if strings.HasPrefix(id, "CVE-") {
			return id
		}
	}
	if i := strings.Index(v.ID, "CVE-"); i >= 0 { // DEBIAN-CVE-…
		return v.ID[i:]
	}
	return v.ID
}

// High reports whether it is high or critical: a score of 7.0 or above, or such a word.
func (v *Vulnerability) High() bool {
	return v.Score >= 7 || v.Score < 0 && (v.Rated == "HIGH" || v.Rated == "CRITICAL")
}

// Unrated reports whether nothing is told of how bad it is.
func (v *Vulnerability) Unrated() bool { return v.Score < 0 && v.Rated == "" }

const (
	mostRanges     = 10_000 // of an entry
	mostVulnerable = 500_000
)

func (l *Lists) osv(data []byte, wanted Wanted) error {
	var e struct {
		ID        string          `json:"id"`
		Withdrawn string          `json:"withdrawn"`
		Aliases   []string        `json:"aliases"`
		Upstream  []string        `json:"upstream"`
		Summary   string          `json:"summary"`
		Severity  []osvSeverity   `json:"severity"`
		Database  json.RawMessage `json:"database_specific"`
		Affected  []struct {
			Package struct {
				Ecosystem string `json:"ecosystem"`
				Name      string `json:"name"`
			} `json:"package"`
			Severity []osvSeverity   `json:"severity"`
			Versions []string        `json:"versions"`
			Database json.RawMessage `json:"ecosystem_specific"`
			Ranges   []struct {
				Type   string              `json:"type"`
				Events []map[string]string `json:"events"`
			} `json:"ranges"`
		} `json:"affected"`
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("read an entry of OSV: %w", err)
	}
	l.Files++
	if e.Withdrawn != "" {
		return nil
	}
	for _, a := range e.Affected {
		base, _, _ := strings.Cut(a.Package.Ecosystem, ":")
		if a.Package.Name == "" || !wanted(base, a.Package.Name) {
			continue
		}
		if len(l.Vulnerable) >= mostVulnerable {
			return fmt.Errorf("more than %d vulnerabilities are about these components", mostVulnerable)
		}
		v := Vulnerability{
			ID: e.ID, Summary: e.Summary, Ecosystem: a.Package.Ecosystem, Name: a.Package.Name, Versions: a.Versions,
			Score: score(append(a.Severity, e.Severity...)), Rated: rated(e.Database, a.Database),
		}
		for _, id := range append(e.Aliases, e.Upstream...) {
			v.Aliases = append(v.Aliases, strings.ToUpper(id))
		}
		for _, r := range a.Ranges {
			if r.Type != "GIT" {
				v.Ranges = append(v.Ranges, rangesOf(r.Events)...)
			}
			if len(v.Ranges) > mostRanges {
				break
			}
		}
		l.Vulnerable = append(l.Vulnerable, v)
	}
	return nil
}

// rangesOf pairs events: what is introduced holds until it is fixed, or through the last that is affected.
func rangesOf(events []map[string]string) (all []versions.Range) {
	open := false
	for _, e := range events {
		last := len(all) - 1
		switch {
		case e["introduced"] != "":
			all = append(all, versions.Range{From: e["introduced"]})
			open = true
		case e["fixed"] != "" && open:
			all[last].Before, open = e["fixed"], false
		case e["last_affected"] != "" && open:
			all[last].Last, open = e["last_affected"], false
		}
		if len(all) > mostRanges {
			break
		}
	}
	return all
}

// rated is a severity in words, as GitHub and Debian's urgency write it.
func rated(raws ...json.RawMessage) string {
	for _, raw := range raws {
		var d struct {
			Severity string `json:"severity"`
		}
		if json.Unmarshal(raw, &d) == nil && d.Severity != "" {
			return strings.ToUpper(d.Severity)
		}
	}
	return ""
}

// Ecosystem is where a component is known in OSV, and by which name; empty: nowhere.
func Ecosystem(c components.Component) (ecosystem, name string) {
	origin := c.Origin
	if origin == "" {
		origin = c.Name
	}
	switch c.Source {
	case components.DPKG:
		switch c.Distro {
		case "debian":
			return "Debian", origin
		case "ubuntu":
			return "Ubuntu", origin
		}
	case components.APK:
		return "Alpine", origin
	case components.NPM:
		return "npm", c.Name
	case components.PyPI:
		return "PyPI", strings.ReplaceAll(strings.ToLower(c.Name), "_", "-")
	case components.GoBuild:
		return "Go", c.Name
	}
	return "", ""
}

// Vulnerabilities are those of a component by the ecosystem that it comes from. Of a distribution it must be known which release it is.
func (l *Lists) Vulnerabilities(c components.Component) (found []*Vulnerability) {
	ecosystem, name := Ecosystem(c)
	if ecosystem == "" {
		return nil
	}
	for i := range l.Vulnerable {
		v := &l.Vulnerable[i]
		base, release, _ := strings.Cut(v.Ecosystem, ":")
		if base != ecosystem || !sameName(ecosystem, v.Name, name) || release != "" && !sameRelease(release, c.DistroVersion) {
			continue
		}
		if v.holds(c) && !slices.ContainsFunc(found, func(o *Vulnerability) bool { return o.CVE() == v.CVE() }) {
			found = append(found, v)
		}
	}
	return found
}

func sameName(ecosystem, a, b string) bool {
	if ecosystem == "PyPI" {
		a = strings.ReplaceAll(strings.ToLower(a), "_", "-")
	}
	return a == b
}

// sameRelease compares the release of an entry (12, v3.18, 22.04:LTS) with VERSION_ID (12, 3.18.4, 22.04).
func sameRelease(entry, version string) bool {
	entry = strings.TrimPrefix(entry, "Pro:")
	entry, _, _ = strings.Cut(entry, ":")
	return version != "" && within(version, strings.TrimPrefix(entry, "v"))
}

func (v *Vulnerability) holds(c components.Component) bool {
	if slices.Contains(v.Versions, c.Version) {
		return true
	}
	for _, r := range v.Ranges {
		if r.Holds(c.Scheme(), c.Version) {
			return true
		}
	}
	return false
}
